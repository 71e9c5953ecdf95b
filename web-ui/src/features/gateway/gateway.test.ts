import { expect, test } from "vitest";
import { addressesOf, numberOf } from "./gateway";

test("addresses stand on lines or have commas between them", () => {
  expect(addressesOf(" 192.0.2.1,198.51.100.0/24\n\n2001:db8::/64 ")).toEqual([
    "192.0.2.1",
    "198.51.100.0/24",
    "2001:db8::/64",
  ]);
  expect(addressesOf(" \n")).toEqual([]);
});

test("an empty number is none, and zero is one", () => {
  expect([numberOf(" "), numberOf("0"), numberOf("90")]).toEqual([null, 0, 90]);
});
