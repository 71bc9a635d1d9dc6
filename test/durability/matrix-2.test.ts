import { testKills } from "./matrix.ts";

testKills(1, 4);
