/** What server and page say to each other; types only, since both sides read this. */

/** A run that the dashboard shows. */
export interface RunEntry {
  /** Its way from the dashboard's folder, with `/`; the folder's own name where that is the run itself. */
  name: string;
  /** Absolute path, links resolved. */
  folder: string;
}

/** `GET /api/runs` */
export interface RunList {
  /** The folder that `coppice ui` was given. */
  dir: string;
  runs: RunEntry[];
}

/** What every refusal and failure of the API carries. */
export interface ApiError {
  error: string;
}
