import { testKills } from "./matrix.ts";

testKills(2, 4);
