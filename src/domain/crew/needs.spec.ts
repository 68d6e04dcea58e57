import { describe, expect, it } from '@jest/globals';
import { aCrew, aGather, aTaskDefinition } from '../../../test/factories/crew.js';
import { looksAtRoles, requiredEntitlements } from './needs.js';

const needs = (...tasks: ReturnType<typeof aTaskDefinition>[]) =>
  requiredEntitlements(aCrew({ tasks: Object.fromEntries(tasks.map((task, index) => [`t${index}`, task])) }));

describe(requiredEntitlements.name, () => {
  it('should be what is gathered in any case, each once, in the order of the vocabulary', () => {
    const first = aTaskDefinition({ gather: [aGather({ tool: 'git_log' }), aGather({ tool: 'fs_read' })] });
    const second = aTaskDefinition({ gather: [aGather({ tool: 'dao_facts' }), aGather({ tool: 'dao_roles' })] });
    expect(needs(first)).toEqual(['agent.devtools']);
    expect(needs(second)).toEqual(['chat.read']);
    expect(needs(first, second)).toEqual(['chat.read', 'agent.devtools']);
  });

  it('should be what all of several ask for of which one must give something', () => {
    const file = aGather({ as: 'a', tool: 'fs_read', one_of: 'code' });
    expect(needs(aTaskDefinition({ gather: [file, { ...file, as: 'b' }] }))).toEqual(['agent.devtools']);
    expect(needs(aTaskDefinition({ gather: [file, { ...file, as: 'b', tool: 'dao_facts' }] }))).toEqual([]);
  });

  it('should be nothing for what is optional, and for what agents may ask for', () => {
    expect(needs(aTaskDefinition({ gather: [aGather({ tool: 'fs_read', optional: true })] }))).toEqual([]);
    expect(needs(aTaskDefinition({ tools: ['fs_read', 'dao_facts', 'ask_member'] }))).toEqual([]);
  });
});

describe(looksAtRoles.name, () => {
  it('should be where a check of some task asks for a role of the DAO', () => {
    const role = aTaskDefinition({ checks: [{ check: 'role', at: 'role', among: ['member'] }] });
    const other = aTaskDefinition({ checks: [{ check: 'unique', at: 'list[]' }] });
    expect(looksAtRoles(aCrew({ tasks: { other, role } }))).toBe(true);
    expect(looksAtRoles(aCrew({ tasks: { other } }))).toBe(false);
  });
});
