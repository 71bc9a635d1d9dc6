import { testKills } from "./matrix.ts";

testKills(3, 4);
