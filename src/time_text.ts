const UNITS: readonly [name: string, seconds: number][] = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];

/** A length of time for people, in its two largest units: "5 d 2 h", "3 min 4 s", "0 s". */
export function durationText(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const first = UNITS.findIndex(([name, seconds]) => total >= seconds || name === "s");
  let rest = total;
  const parts: string[] = [];
  for (const [name, seconds] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 || parts.length === 0) parts.push(`${count} ${name}`);
  }
  return parts.join(" ");
}

/** A moment in this machine's time zone: "2026-11-21 04:05:08". */
export function momentText(moment: string | number): string {
  const at = new Date(moment);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` +
    `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
