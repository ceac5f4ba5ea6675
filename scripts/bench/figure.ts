/** A number with three digits that count; thousands whole. */
export function figure(value: number | null): string {
  if (value === null) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return Math.abs(value) >= 100
    ? value.toFixed(0)
    : Math.abs(value) >= 0.1
    ? value.toPrecision(3)
    : String(Number(value.toPrecision(3)));
}
