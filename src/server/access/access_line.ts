import type { AccessRule, EffectiveAccess } from "./access_rule.ts";

/** Who may call, in one line: "open", "10.0.0.0/8; bearer (2)", "bearer (1) or basic (0); certificate". */
export function accessLine({ settings, counts, damaged }: AccessRule): string {
  if (damaged) return "nobody: the rule in the registry is damaged";
  const parts = [ranges(settings), credentials(settings, counts), certificate(settings), raw(settings)];
  return parts.filter((part) => part !== "").join("; ") || "open";
}

function ranges({ allow }: EffectiveAccess): string {
  return allow.join(", ");
}

function credentials({ require }: EffectiveAccess, counts: AccessRule["counts"]): string {
  const kinds = (["bearer", "basic"] as const).filter((kind) => require.includes(kind));
  return kinds.map((kind) => `${kind} (${counts[kind]})`).join(" or ");
}

function certificate({ require, certificates }: EffectiveAccess): string {
  if (!require.includes("certificate")) return "";
  return certificates.length === 0 ? "certificate" : `certificate of ${certificates.join(", ")}`;
}

function raw({ rawAllow }: EffectiveAccess): string {
  return rawAllow.length === 0 ? "" : `reverse port: ${rawAllow.join(", ")}`;
}
