import type { Exempt, Mutation } from "./mutation.ts";
import { AUDIT } from "./mutations/audit.ts";
import { CONFIGURATION } from "./mutations/configuration.ts";
import { CREDENTIALS } from "./mutations/credentials.ts";
import { ENDS } from "./mutations/ends.ts";
import { FILES } from "./mutations/files.ts";
import { GIT } from "./mutations/git.ts";
import { INPUT } from "./mutations/input.ts";
import { LOGINS } from "./mutations/logins.ts";
import { MONEY } from "./mutations/money.ts";
import { NETWORK } from "./mutations/network.ts";
import { QUARANTINE } from "./mutations/quarantine.ts";
import { RECORD } from "./mutations/record.ts";
import { REDACTION } from "./mutations/redaction.ts";
import { ROTATION } from "./mutations/rotation.ts";
import { SECRETS } from "./mutations/secrets.ts";
import { SWITCHES } from "./mutations/switches.ts";
import { SYSTEMS } from "./mutations/systems.ts";
import { TOOLS } from "./mutations/tools.ts";
import { UPLOADS } from "./mutations/uploads.ts";
import { WHO_GETS_IN } from "./mutations/who-gets-in.ts";

/** Every mechanism that is patched out, in the order of SECURITY.md. */
export const MUTATIONS: readonly Mutation[] = [
  // A line each.
  ...WHO_GETS_IN,
  ...INPUT,
  ...LOGINS,
  ...FILES,
  ...UPLOADS,
  ...NETWORK,
  ...GIT,
  ...SECRETS,
  ...REDACTION,
  ...QUARANTINE,
  ...ENDS,
  ...SWITCHES,
  ...SYSTEMS,
  ...TOOLS,
  ...CREDENTIALS,
  ...ROTATION,
  ...MONEY,
  ...CONFIGURATION,
  ...RECORD,
  ...AUDIT,
];

/** Named tests that no mutation of their claim can turn red, with the reason. */
export const EXEMPT: readonly Exempt[] = [
  {
    claim: "What a person types is text to Claude",
    test: "H28: the prompt is on no command line of the machine",
    because:
      "The command line is made before there is a prompt: no one place can be patched that would put it there.",
  },
  {
    claim: "What a prompt says is never judged by its words",
    test: "the corpus of plain prose has at least two hundred sentences",
    because: "It counts the sentences of the test beside it, and rests on no mechanism.",
  },
  {
    claim: "Of some five hundred attacks",
    test: "every attack works where nothing is in its way: its positive control",
    because:
      "It is the control of the attacks themselves: it fails when an attack does not work, and rests on no mechanism.",
  },
];
