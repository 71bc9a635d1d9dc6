import { z } from "zod";
import type { Approval } from "../store/approvals.ts";

const questionSchema = z.object({
  question: z.string().min(1),
  header: z.string().default(""),
  multiSelect: z.boolean().default(false),
  options: z.array(z.object({ label: z.string().min(1), description: z.string().default("") })).min(1),
});

const askSchema = z.object({ questions: z.array(questionSchema).min(1) });

/** One question of the CLI's AskUserQuestion tool. */
export type Question = z.infer<typeof questionSchema>;

/** The questions of an AskUserQuestion input, or null when it has another shape. */
export function parseQuestions(input: Readonly<Record<string, unknown>>): readonly Question[] | null {
  const parsed = askSchema.safeParse(input);
  return parsed.success ? parsed.data.questions : null;
}

/** The questions that an approval puts, or null when it is about a tool call. */
export function questionsOf({ toolName, input }: Approval): readonly Question[] | null {
  return toolName === "AskUserQuestion" ? parseQuestions(input) : null;
}

/** The input that answers an AskUserQuestion: several labels of one question are joined by a comma. */
export function answeredInput(
  input: Readonly<Record<string, unknown>>,
  answers: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, unknown>> {
  const labels = Object.entries(answers).map(([question, chosen]) => [question, chosen.join(", ")]);
  return { ...input, answers: Object.fromEntries(labels) };
}
