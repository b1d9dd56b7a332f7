/** The packages of the demo corpus, pinned, and how each one's messages are paired. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Pair } from "../pair.js";
import {
  diagnosticCalls,
  helpBlocks,
  jsonStrings,
  localizeCalls,
  type Messages,
  nlsArray,
  withoutTags,
} from "./catalogues.js";
import type { SourceLanguage } from "./clean.js";

export interface PinnedPackage {
  name: string;
  version: string;
  /** Of the tarball, as npm's lock files spell it. */
  integrity: string;
  licence: string;
  copyright: string;
  /** Paths in the tarball, files or folders, that are unpacked: catalogues and licence texts. */
  members: readonly string[];
}

/** Messages of one program, in one package or two. */
export interface Catalogue {
  program: string;
  packages: (language: SourceLanguage) => readonly PinnedPackage[];
  /** All pairs, as written in the packages; `folders` are the unpacked packages in the same order. */
  read: (folders: readonly string[], language: SourceLanguage) => Promise<Pair[]>;
}

const microsoft = "Copyright (c) Microsoft Corporation";

const vscodeApi: PinnedPackage = {
  name: "@codingame/monaco-vscode-api",
  version: "25.1.2",
  integrity:
    "sha512-K04QcQA+Zb0KXucBAK/BGCT5dldiwIqdUbBQq7yuLvBLbof3cP1WSUuxasMHGYwM0MWyzIAsDtyAYMS7is8ZuA==",
  licence: "MIT",
  copyright: `${microsoft}; packaged by CodinGame`,
  members: ["package/vscode"],
};

const languagePack: Record<SourceLanguage, PinnedPackage> = {
  de: {
    name: "@codingame/monaco-vscode-language-pack-de",
    version: "25.1.2",
    integrity:
      "sha512-xA3WOt1w5jlAOnyx4PBwx+qV3vx8C8/zie29qjYbgJMxGKDkb0HfpuKUwywDA2uUMI2wJZS+PnNG00zPDoLIrw==",
    licence: "MIT",
    copyright: `${microsoft}; packaged by CodinGame`,
    members: ["package/translations"],
  },
  zh: {
    name: "@codingame/monaco-vscode-language-pack-zh-hans",
    version: "25.1.2",
    integrity:
      "sha512-c7MMrhnSLb59NxpAa8nVy9aIbxy4gVYrCpDMq8W380LOaXTYb7nueTrw8QJ5QbJBNi2P2KZoGkn2BlONuBtJJg==",
    licence: "MIT",
    copyright: `${microsoft}; packaged by CodinGame`,
    members: ["package/translations"],
  },
};

const vscode: Catalogue = {
  program: "Visual Studio Code",
  packages: (language) => [languagePack[language], vscodeApi],
  async read([pack = "", api = ""]) {
    const translated = nlsArray(await text(pack, "translations", "main.i18n.json.js"));
    const english: Messages = new Map();
    for (const file of await filesIn(join(api, "vscode"), ".js")) {
      for (const [index, message] of localizeCalls(await text(file))) english.set(index, message);
    }
    const pairs = joined(translated, english);
    // A translated extension keeps its messages under the English itself.
    for (const file of await filesIn(join(pack, "translations", "extensions"), ".json")) {
      for (const [path, message] of jsonStrings(await text(file))) {
        const key = /^contents\/bundle\/([\s\S]+)$/.exec(path)?.[1];
        if (key !== undefined) pairs.push({ source: message, target: key });
      }
    }
    return pairs;
  },
};

const typescript: Catalogue = {
  program: "TypeScript",
  packages: (language) => [
    {
      name: "typescript",
      version: "5.9.3",
      integrity:
        "sha512-jl1vZzPDinLr9eUt3J/t7V6FgNEw9QjvBPdysz9KfQDD41fQrC2Y4vKQdiaUpFT4bXlb1RHhLpp8wtm6M5TgSw==",
      licence: "Apache-2.0",
      copyright: microsoft,
      members: [
        `package/lib/${{ de: "de", zh: "zh-cn" }[language]}`,
        "package/lib/typescript.js",
        "package/LICENSE.txt",
      ],
    },
  ],
  async read([folder = ""], language) {
    const file = [{ de: "de", zh: "zh-cn" }[language], "diagnosticMessages.generated.json"];
    return joined(
      jsonStrings(await text(folder, "lib", ...file)),
      diagnosticCalls(await text(folder, "lib", "typescript.js")),
    );
  },
};

const monaco: Catalogue = {
  program: "Monaco Editor",
  packages: (language) => [
    {
      name: "monaco-editor",
      version: "0.52.2",
      integrity:
        "sha512-GEQWEZmfkOGLdd3XK8ryrfWz3AIP8YymVXiPHEdewrUq7mh0qrKrfHLNCXcbB6sTnMLnOZ3ztSiKcciFUkIJwQ==",
      licence: "MIT",
      copyright: "Copyright (c) 2016 - present Microsoft Corporation",
      members: [
        `package/min/vs/nls.messages.${{ de: "de", zh: "zh-cn" }[language]}.js`,
        "package/min/vs/editor/editor.main.js",
        "package/LICENSE",
      ],
    },
  ],
  async read([folder = ""], language) {
    const translated = `nls.messages.${{ de: "de", zh: "zh-cn" }[language]}.js`;
    return joined(
      nlsArray(await text(folder, "min", "vs", translated)),
      localizeCalls(await text(folder, "min", "vs", "editor", "editor.main.js")),
    );
  },
};

const lighthouse: Catalogue = {
  program: "Lighthouse",
  packages: () => [
    {
      name: "lighthouse",
      version: "13.5.0",
      integrity:
        "sha512-w/yYIwg7mP9pCwkcbAXRztnvKHua2dJnZaNptPLa1cEw+akr6lbsIDiUOLsQwvaiAUr0xvxdmwvAzl3pj3Np0A==",
      licence: "Apache-2.0",
      copyright: "Copyright Google LLC",
      members: ["package/shared/localization/locales", "package/LICENSE"],
    },
  ],
  async read([folder = ""], language) {
    const locales = join(folder, "shared", "localization", "locales");
    return joined(
      jsonStrings(await text(locales, `${language}.json`)),
      jsonStrings(await text(locales, "en-US.json")),
    );
  },
};

const nodeRed: Catalogue = {
  program: "Node-RED",
  packages: () => [
    {
      name: "@node-red/nodes",
      version: "5.0.7",
      integrity:
        "sha512-VBebFd8jBg8E7wga1tqWetTx+Iv9SfnFCc/Ik4/cci6827WIlbrZLVwqmc278IGmZti7rQeu9LCo9CjVzBsrWw==",
      licence: "Apache-2.0",
      copyright: "Copyright OpenJS Foundation and other contributors, https://openjsf.org/",
      members: ["package/locales", "package/LICENSE"],
    },
  ],
  async read([folder = ""], language) {
    const locale = { de: "de", zh: "zh-CN" }[language];
    const pairs = joined(
      jsonStrings(await text(folder, "locales", locale, "messages.json")),
      jsonStrings(await text(folder, "locales", "en-US", "messages.json")),
    ).map(({ source, target }) => ({ source: withoutTags(source), target: withoutTags(target) }));
    const translatedHelp = join(folder, "locales", locale);
    for (const file of await filesIn(translatedHelp, ".html")) {
      const translated = helpBlocks(await text(file));
      const english = helpBlocks(await text(folder, "locales", "en-US", file.slice(translatedHelp.length)));
      const samePage = [...translated.keys()].join() === [...english.keys()].join();
      if (samePage) pairs.push(...joined(translated, english));
    }
    return pairs;
  },
};

const axe: Catalogue = {
  program: "axe-core",
  packages: () => [
    {
      name: "axe-core",
      version: "4.14.1",
      integrity:
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
      licence: "MPL-2.0",
      copyright: "Copyright (c) Deque Systems, Inc.",
      members: ["package/locales", "package/LICENSE"],
    },
  ],
  async read([folder = ""], language) {
    const locales = join(folder, "locales");
    return joined(
      jsonStrings(await text(locales, `${{ de: "de", zh: "zh_CN" }[language]}.json`)),
      jsonStrings(await text(locales, "_template.json")),
    );
  },
};

/** In the order in which they are read: a pair counts for the first that has it. */
export const catalogues: readonly Catalogue[] = [vscode, typescript, lighthouse, nodeRed, axe, monaco];

/** Pairs of the messages that both sides have. */
function joined(translated: Messages, english: Messages): Pair[] {
  const pairs: Pair[] = [];
  for (const [key, source] of translated) {
    const target = english.get(key);
    if (target !== undefined) pairs.push({ source, target });
  }
  return pairs;
}

async function text(...path: string[]): Promise<string> {
  return readFile(join(...path), "utf8");
}

/** Files below a folder with this ending, in a fixed order. */
async function filesIn(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  return entries
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}
