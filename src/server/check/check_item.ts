/** What one check of a server found. */
export interface CheckItem {
  /** Stable: the keyword of sshd_config that it is about, in OpenSSH's spelling, or another name, which begins with a small letter. */
  readonly name: string;
  /** "failed": tunnels do not come about, or more than tunnels is possible. */
  readonly state: "ok" | "warning" | "failed";
  /** What is, for people; sentence case, no full stop. */
  readonly detail: string;
  /** What can be done about it. */
  readonly hint?: string;
  /** The line for sshd_config; several with line breaks. */
  readonly line?: string;
}

export const ok = (name: string, detail: string): CheckItem => ({ name, state: "ok", detail });

/** Whether it is about a line of sshd_config, and not about something else that sshd needs. */
export const isOfSshdConfig = ({ name }: CheckItem): boolean => /^[A-Z]/.test(name);
