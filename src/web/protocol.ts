/** What server and page say to each other; types only, since both sides read this. */

import type { Tile } from "../report/components/tiles.js";
import type { Finding } from "../report/verdict.js";

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

/** `GET /api/run`, and each event of `GET /api/run/events`: where a run stands. */
export interface RunState {
  name: string;
  folder: string;
  /**
   * `new`: not begun; `running`: a process works in the folder; `stopped`: begun, and nobody works on it; `finished`:
   * every step is done; `broken`: what stands in the folder cannot be read.
   */
  state: "new" | "running" | "stopped" | "finished" | "broken";
  /** What that means for the reader, and what to do. */
  advice: string;
  /** The process in the folder; null where there is none. */
  owner: { pid: number; host: string; since: string } | null;
  /** What it does now; null where it does not say. */
  live: Live | null;
  stages: Stage[];
  /** Steps that are done, and all. */
  done: number;
  total: number;
  /** Seconds of work in finished steps. */
  seconds: number;
  /** Another text whenever `GET /api/run/figures` has changed. */
  version: string;
}

export interface Live {
  step: string | null;
  progress: {
    label: string;
    done: number;
    total: number;
    unit: string;
    detail: string;
    perSecond: number;
    /** Of this stretch of work; null while there is no rate. */
    secondsLeft: number | null;
  } | null;
  /** The last sentence that the run said. */
  said: string | null;
  /** ISO 8601. */
  updated: string;
}

/** A box of the pipeline: the steps that a reader thinks of as one. */
export interface Stage {
  /** The step that gives it its name: `G1I2`. */
  id: string;
  label: string;
  kind: "prepare" | "bc" | "reward" | "grow" | "score" | "value" | "improve" | "online";
  /** 0 before the first Grow. */
  grow: number;
  /** Trained on candidates chosen at random. */
  control: boolean;
  status: "done" | "running" | "waiting";
  /** Seconds of its finished steps. */
  seconds: number;
}

/** A chart as the server makes it; see `ChartProps`. */
export interface ChartView {
  name: string;
  description: string;
  spec: object;
}

/** Cells are plain text. */
export interface TableView {
  title: string;
  columns: { header: string; align: "left" | "right" }[];
  rows: { cells: string[]; mark?: "control" | "best" }[];
  notes: string[];
}

/** `GET /api/run/figures`: what a run has measured so far. */
export interface RunFigures {
  /** What the figures say; null before the run is finished. */
  verdict: { headline: string; findings: Pick<Finding, "kind" | "text">[] } | null;
  tiles: Tile[];
  charts: ChartView[];
  tables: TableView[];
}

/** `GET /api/candidates/grows`: a Grow step that has candidates. */
export interface GrowView {
  grow: number;
  /** Whether every candidate has its reward. */
  scored: boolean;
  /** What the run's own Improve steps kept by, where that is one number for all sources. */
  thresholds: { policy: string; threshold: string; value: number }[];
}
