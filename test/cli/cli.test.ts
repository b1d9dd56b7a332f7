/** What every command has in common: help, exit codes, one sentence for a mistake. */

import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { failureOf } from "../../src/cli/failure.js";
import { createProgram } from "../../src/cli/program.js";
import { hasColour } from "../../src/cli/terminal.js";
import { Interrupted, UserError } from "../../src/errors.js";
import { coppice } from "./coppice.js";

describe("help", () => {
  test("lists every command of the manual", () => {
    const names = createProgram().commands.map((command) => command.name());
    expect(names.toSorted()).toEqual(
      [
        ...[
          "demo",
          "init",
          "run",
          "doctor",
          "compare",
          "status",
          "ui",
          "grow",
          "score",
          "improve",
          "train-reward",
          "reward",
        ],
        ...["evaluate", "translate", "inspect", "serve", "rate", "bleu", "chrf", "import", "export", "data"],
      ].toSorted(),
    );
  });

  test("of every command has a description, examples that call it, --json and --quiet", () => {
    // `data` only groups commands of its own.
    const commands = createProgram().commands.flatMap((command) =>
      command.commands.length > 0
        ? command.commands.map((inner) => ({ command: inner, name: `${command.name()} ${inner.name()}` }))
        : [{ command, name: command.name() }],
    );
    for (const { command, name } of commands) {
      let help = "";
      command.configureOutput({
        writeOut: (text) => {
          help += text;
        },
      });
      command.outputHelp();
      expect(command.description().length).toBeGreaterThan(40);
      // Wrapped to the terminal's width, which a break of our own would cut up.
      expect(command.description()).not.toContain("\n");
      expect(help).toMatch(new RegExp(`Examples:\\n {2}\\$ .*coppice ${name}`));
      expect(help).toContain("--json");
      expect(help).toContain("--quiet");
    }
  });

  test("comes without arguments, on standard output, with exit code 0", async () => {
    const { code, stdout, stderr } = await coppice([]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Usage: coppice /);
  });

  test("of a command ends with exit code 0", async () => {
    const { code, stdout } = await coppice(["translate", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("coppice translate runs/demo --best-of 16");
  });

  test("--version prints the package's version", async () => {
    expect((await coppice(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("a mistake in the arguments is one sentence on standard error and exit code 2", () => {
  test.each([
    [["rnu", "x"], "unknown command 'rnu'. Did you mean run?\n"],
    [["run", "x", "--jsn"], "unknown option '--jsn'. Did you mean --json?\n"],
    [
      ["translate", "x", "--beam", "0"],
      "option '--beam <k>' argument '0' is invalid. It must be a whole number of 1 or more.\n",
    ],
    [
      ["translate", "x", "--beam", "2", "--best-of", "4"],
      "--best-of samples and --beam searches: give one of the two.\n",
    ],
  ])("%j", async (args, sentence) => {
    expect(await coppice(args)).toEqual({ code: 2, stdout: "", stderr: sentence });
  });
});

describe("what is thrown decides the exit code", () => {
  test("2 with its sentence for bad input", () => {
    expect(failureOf(new UserError("it is empty.", { file: "a.tsv", line: 3 }))).toEqual({
      exitCode: 2,
      text: "a.tsv:3: it is empty.\n",
    });
  });

  test("130 for a stop", () => {
    expect(failureOf(new Interrupted()).exitCode).toBe(130);
  });

  test("1 with the stack for a bug, whatever was thrown", () => {
    const { exitCode, text } = failureOf(new TypeError("undefined is not a function"));
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^TypeError: undefined is not a function\n {4}at [\s\S]*This is a bug in Coppice/);
    expect(failureOf("a string").exitCode).toBe(1);
  });

  test("0 or 2 for what commander has printed", () => {
    expect(failureOf(new CommanderError(0, "commander.help", "")).exitCode).toBe(0);
    expect(failureOf(new CommanderError(1, "commander.unknownOption", "")).exitCode).toBe(2);
  });
});

describe("colour", () => {
  test("is for terminals, and not where NO_COLOR is set or the terminal is dumb", () => {
    expect(hasColour({ isTTY: true }, { TERM: "xterm" })).toBe(true);
    expect(hasColour({ isTTY: false }, { TERM: "xterm" })).toBe(false);
    expect(hasColour({}, { TERM: "xterm" })).toBe(false);
    expect(hasColour({ isTTY: true }, { TERM: "xterm", NO_COLOR: "1" })).toBe(false);
    expect(hasColour({ isTTY: true }, { TERM: "dumb" })).toBe(false);
  });
});
