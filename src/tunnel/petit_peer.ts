/** Whether a peer is petit, by its identification (RFC 4253, section 4.2). */
export function isPetit(greeting: string): boolean {
  return greeting.startsWith("SSH-2.0-petit_");
}

/** Whether a peer is a client of petit 0.6.x: the library that it is made with, which hardly anybody else uses any more. */
export function isLegacyPetit(greeting: string): boolean {
  return greeting.startsWith("SSH-2.0-ssh2js0.");
}
