import { canonicalModel } from "../domain/model-name.ts";
import type { WireRequest } from "../domain/usage.ts";

/** Below this a request of the CLI's own (a title, a check) is small. */
const SMALL_OUTPUT_TOKENS = 1000;
/** The alias by which the CLI offers its small model. */
const SMALL_ALIAS = "haiku";
const DEFAULT_ALIAS = "default";

/** What the models of a turn are chosen by. */
export interface ModelChoice {
  /** `CLAUDE_MODEL`: a name or an alias; null leaves it to the CLI. */
  readonly model: string | null;
  readonly fallbackModel: string | null;
  /** What the CLI offered before its first prompt: names by alias. */
  readonly offered: ReadonlyMap<string, string>;
  /** What a model costs, by any measure that is the same for all; an unknown one as much as the dearest. */
  readonly priceOf: (model: string) => number;
}

/** Which models a turn may use on the wire. */
export interface ModelRules {
  /** Null, or why the request is refused. */
  readonly refusalOf: (request: WireRequest) => string | null;
  /** A subagent call named this model, and the call was let through. */
  readonly allow: (model: string) => void;
  /** True for a model that costs more than the chosen one. */
  readonly isDearer: (model: string) => boolean;
  readonly isFallback: (model: string) => boolean;
}

/**
 * Lets through the chosen model, the fallback when one is set, what subagent calls named, and the CLI's own small model for
 * small requests without tools. What the CLI says of models after its first prompt is not believed: by then a program of the
 * jail may speak in its place.
 */
export function createModelRules({ model, fallbackModel, offered, priceOf }: ModelChoice): ModelRules {
  const resolve = (name: string): string => canonicalModel(offered.get(name.toLowerCase()) ?? name);
  const fallback = fallbackModel === null ? null : resolve(fallbackModel);
  const chosen = resolve(model ?? DEFAULT_ALIAS);
  const allowed = new Set([chosen, ...(fallback === null ? [] : [fallback])]);
  const small = resolve(SMALL_ALIAS);

  function isSmall({ model: asked, hasTools, maxOutputTokens }: WireRequest): boolean {
    const isShort = maxOutputTokens !== null && maxOutputTokens < SMALL_OUTPUT_TOKENS;
    return canonicalModel(asked) === small && !hasTools && isShort;
  }

  return {
    refusalOf: (request) => {
      if (allowed.has(canonicalModel(request.model)) || isSmall(request)) return null;
      return `Sallyport: nobody chose the model ${request.model} for this turn, so the request was not passed on.`;
    },
    allow: (name) => allowed.add(resolve(name)),
    isDearer: (name) => priceOf(resolve(name)) > priceOf(chosen),
    isFallback: (name) => fallback !== null && fallback !== chosen && canonicalModel(name) === fallback,
  };
}
