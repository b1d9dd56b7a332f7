/** Ctrl-C and SIGTERM: the first asks the work to stop at a safe point, the second kills. */
import { Interrupted } from "../errors.js";

/** Whoever read our output has seen enough (`coppice … | head`): no mistake, and nothing more to say. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

let controller: AbortController | undefined;

/**
 * The signal that Ctrl-C and SIGTERM abort, with `Interrupted` as its reason. Whoever asks for it promises to stop at
 * the next safe point: until then these no longer end the process by themselves, save the second time.
 */
export function stopSignal(): AbortSignal {
  if (controller === undefined) {
    controller = new AbortController();
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
  }
  return controller.signal;
}

/** Aborts that signal with `reason`; false where nobody has asked for it. */
export function stopFor(reason: Error): boolean {
  controller?.abort(reason);
  return controller !== undefined;
}

function stop(): void {
  if (controller === undefined || controller.signal.aborted) {
    // Not process.exit: it would run exit handlers in the middle of native work. A run folder survives this.
    process.kill(process.pid, "SIGKILL");
    return;
  }
  process.stderr.write(
    "\nStopping at the next safe point… (Ctrl-C again to kill; what is finished is kept either way)\n",
  );
  controller.abort(new Interrupted());
}
