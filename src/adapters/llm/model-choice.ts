/** Longest wait for an endpoint's list of models. */
const LIST_TIMEOUT_MS = 10_000;

/** The configured model, or the first one that the endpoint lists; the list is asked for once and shared. */
export class ModelChoice {
  private found: Promise<string> | undefined;
  /** Name for messages, as far as it is known. */
  label: string;

  /**
   * @param configured empty: let the endpoint choose
   * @param first asks the endpoint; throws `ProviderError`
   */
  constructor(
    private readonly configured: string,
    private readonly first: (signal: AbortSignal) => Promise<string>,
  ) {
    this.label = configured || 'the first listed';
  }

  get(): Promise<string> {
    if (this.configured !== '') return Promise.resolve(this.configured);
    this.found ??= this.ask();
    return this.found;
  }

  /** The chosen model is gone: the next call asks the list again. */
  forget(): void {
    this.found = undefined;
  }

  private async ask(): Promise<string> {
    try {
      // A limit of its own: several calls wait for this list, and no one of them may cancel it for the others.
      this.label = await this.first(AbortSignal.timeout(LIST_TIMEOUT_MS));
      return this.label;
    } catch (error) {
      this.forget();
      throw error;
    }
  }
}
