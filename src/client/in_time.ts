import { PetitError } from "../error.ts";

/** What `work` comes to, if that is soon enough. @param timeout milliseconds @throws PetitError `server-silent` */
export async function inTime<Result>(work: Promise<Result>, timeout: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const why = `No answer from the server within ${timeout / 1000} s`;
    timer = setTimeout(() => reject(new PetitError("server-silent", why)), timeout);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
