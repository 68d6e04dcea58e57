/** The model that leaves the choice to the rules. */
export const RULES_CHOOSE = 'dagi-stack';

const PREFIX = 'provider/';

/** Name of the virtual model of a provider. */
export const modelOf = (provider: string): string => PREFIX + provider;

/** The provider that a virtual model names; undefined where the rules choose. */
export const namedProvider = (model: string | undefined): string | undefined =>
  model?.startsWith(PREFIX) ? model.slice(PREFIX.length) : undefined;

const CREW_PREFIX = 'crew/';

/** Name of the virtual model of a crew. */
export const crewModelOf = (crew: string): string => CREW_PREFIX + crew;

/** The crew that a virtual model names; undefined: it is no crew. */
export const namedCrew = (model: string): string | undefined =>
  model.startsWith(CREW_PREFIX) ? model.slice(CREW_PREFIX.length) : undefined;
