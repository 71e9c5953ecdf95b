import { describe, expect, it } from "vitest";
import { periodOf } from "./period";

const of = (query: string) => periodOf(new URLSearchParams(query), Date.parse("2027-03-31T12:00:00Z"));

describe("the period of the audit log", () => {
  it("ends now where a span is chosen", () => {
    expect(of("span=week").since).toBe("2027-03-24T12:00:00.000Z");
    expect(of("span=week").before).toBeUndefined();
  });

  it("holds both of the days that are named, in the viewer's time zone", () => {
    const { since, before } = of("span=days&from=2027-03-01&to=2027-03-31");
    expect(new Date(since ?? "").toString()).toContain("Mar 01 2027 00:00:00");
    expect(new Date(before ?? "").toString()).toContain("Apr 01 2027 00:00:00");
  });

  it("is open where nothing, or nothing that makes sense, is asked", () => {
    expect(of("")).toEqual({ since: undefined });
    expect(of("span=days&from=2027-99-99&to=x")).toEqual({ since: undefined, before: undefined });
  });
});
