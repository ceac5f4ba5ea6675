/** Whether a peer is petit, by its identification (RFC 4253, section 4.2). */
export function isPetit(greeting: string): boolean {
  return greeting.startsWith("SSH-2.0-petit_");
}

/** What a peer's program calls itself (RFC 4253, section 4.2), such as "OpenSSH_9.2p1 Debian-2", by the first bytes that came of it. */
export function softwareOf(greeting: string): string {
  const [line = ""] = greeting.split(/[\r\n]/);
  return line.replace(/^SSH-[\d.]+-/, "").replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 64);
}
