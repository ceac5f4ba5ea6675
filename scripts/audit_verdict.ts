/** What `npm audit --json` prints, as far as it matters. */
interface AuditReport {
  readonly auditReportVersion?: number;
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string; readonly via: readonly unknown[] }>>;
}

const GRAVE = ["high", "critical"];

/** What is to be made of an answer to `npm audit --json`. */
export function judge(
  what: "executable" | "development",
  stdout: string,
  stderr: string,
): { readonly fails: boolean; readonly text: string } {
  let report: AuditReport | undefined;
  try {
    report = JSON.parse(stdout) as AuditReport;
  } catch {
    // npm has not got so far.
  }
  const name = what === "executable" ? "what is in the executable" : "all that is installed";
  // An answer that is none must not pass for one that has found nothing.
  if (report?.auditReportVersion === undefined || report.vulnerabilities === undefined) {
    const why = stderr.split("\n").find((line) => line.startsWith("npm ")) ?? "no answer";
    return { fails: false, text: `npm audit of ${name}: the registry cannot be asked here (${why.trim()})` };
  }
  const found = Object.entries(report.vulnerabilities);
  if (found.length === 0) return { fails: false, text: `npm audit of ${name}: nothing found` };
  const lines = found.map(([name, { severity, via }]) => `  ${name} (${severity}): ${reasons(via)}`);
  return {
    fails: what === "executable" || found.some(([, { severity }]) => GRAVE.includes(severity)),
    text: [`npm audit of ${name}:`, ...lines].join("\n"),
  };
}

function reasons(via: readonly unknown[]): string {
  return via.map((one) =>
    typeof one === "string"
      ? `by ${one}`
      : `${(one as { title?: string }).title} ${(one as { url?: string }).url ?? ""}`
  ).join("; ").trim();
}
