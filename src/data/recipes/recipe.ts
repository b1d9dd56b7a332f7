/** What a recipe is: where a corpus comes from, under which licence, and how it is built here. */

import type { Languages, Part } from "../layouts/folder.js";

export interface RecipeAbout {
  name: string;
  /** What the text is, in a few words. */
  what: string;
  /** Languages that it can be built for, its first the default; `any` for whatever the user's copy holds. */
  languages: readonly string[] | { usual: string };
  /** Pairs to expect, in words. */
  expect: string;
  /** As people name it; `SOURCE.md` has `terms` beside it. */
  licence: string;
  /** What the licence asks for and allows, in a sentence or two. */
  terms: string;
  /** Whom to name. */
  attribution: string;
  /** Where the text comes from: a page for people. */
  address: string;
  /** Whether `--from` is needed (`folder`), or the recipe fetches its source (`npm`, `debian`). */
  from: "folder" | "npm" | "debian";
}

export interface BuildOptions {
  languages: Languages;
  /** The user's copy of the source. */
  from?: string;
  /** Another Debian mirror than the usual one. */
  mirror?: string;
  /** Folder for what is fetched and can be used again. */
  cache: string;
  /** Told what is being done now. */
  note: (sentence: string) => void;
  signal?: AbortSignal;
}

export interface Built {
  parts: Part[];
  /** What the corpus was made from: packages with versions and hashes, or files. */
  madeFrom: string[];
  /** Further files to write beside the corpus once its parts are read, by name. */
  files?: () => Record<string, string>;
  /** Removes what was unpacked for the parts, once they are read. */
  close?: () => Promise<void>;
}

export interface Recipe extends RecipeAbout {
  /** Throws a UserError where the source is not there, or not what it should be. */
  build(options: BuildOptions): Promise<Built>;
}
