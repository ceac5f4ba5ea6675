import assert from "node:assert/strict";
import test from "node:test";
import { judge } from "../../../scripts/audit_verdict.ts";

const report = (severity?: string) =>
  JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: severity === undefined
      ? {}
      : { asn1: { severity, via: [{ title: "Reads too far", url: "https://example.com/GHSA-1" }] } },
  });

test("npm audit: in the executable any finding fails, in the rest a grave one", () => {
  assert.deepEqual(judge("executable", report(), ""), {
    fails: false,
    text: "npm audit of what is in the executable: nothing found",
  });
  for (const severity of ["info", "low", "moderate", "high", "critical"]) {
    assert.equal(judge("executable", report(severity), "").fails, true);
    assert.equal(judge("development", report(severity), "").fails, severity === "high" || severity === "critical");
  }
  assert.match(judge("development", report("low"), "").text, /asn1 \(low\): Reads too far https:\/\/example\.com/);
});

test("npm audit: a registry that cannot be asked is told, and taken for no finding", () => {
  const refused = JSON.stringify({ message: "405 Method Not Allowed", error: { summary: "", detail: "" } });
  for (const stdout of ["", "<html>", "{}", "null", refused]) {
    const { fails, text } = judge("executable", stdout, "npm warn audit 405 Method Not Allowed\n");
    assert.equal(fails, false);
    assert.match(text, /cannot be asked here \(npm warn audit 405 Method Not Allowed\)/);
  }
});
