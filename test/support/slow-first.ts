import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest files by far, which begin first: else one of them is all that still runs at the end. */
const SLOWEST = [/durability\/matrix-\d/, /attacks\/table/];

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = SLOWEST.findIndex((pattern) => pattern.test(moduleId));
  return rank === -1 ? SLOWEST.length : rank;
};

/** The order in which test files begin: the slowest, then as ever. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}
