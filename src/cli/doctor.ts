/** Prints what the doctor says of a run. */
import type { Diagnosis, Finding } from "../rest/doctor/diagnose.js";
import { examine } from "../rest/doctor/doctor.js";
import { withFinished } from "../rest/run.js";
import type { FolderOptions } from "./command.js";
import { onFolder } from "./folder-work.js";

export interface DoctorCommandOptions extends FolderOptions {
  sources: number;
  hours: number;
}

/** Writes nothing. */
export async function doctorCommand({ sources, hours, ...options }: DoctorCommandOptions): Promise<void> {
  await onFolder(options, undefined, (work, terminal) =>
    withFinished(work, async (run) => {
      const diagnosis = await examine(run, { sources, hours });
      terminal.result(diagnosis, () => diagnosisText(diagnosis));
    }),
  );
}

const SIGNS: Readonly<Record<Finding["state"], string>> = { good: "yes", weak: "doubtful", bad: "no" };

function diagnosisText({ sentence, findings }: Diagnosis): string {
  const paragraphs = findings.map(({ question, state, answer, advice }) =>
    [`${question} ${SIGNS[state]}`, `  ${answer}`, ...(advice === "" ? [] : [`  ${advice}`])].join("\n"),
  );
  return [...paragraphs, sentence].join("\n\n");
}
