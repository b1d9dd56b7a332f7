/** How a source becomes what a language model reads, and how a kept answer becomes what it is fine-tuned on. */

/** Stands for the source in a template. */
export const SOURCE = "{source}";

export interface PromptOptions {
  /** `chat`: the server puts messages into the model's own form; `completions`: the prompt is sent as it is. */
  api: "chat" | "completions";
  /** The prompt, `{source}` in it. */
  template: string;
  /** Message before it; chat alone. */
  system: string | null;
}

export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

export function promptText({ template }: PromptOptions, source: string): string {
  return template.replaceAll(SOURCE, () => source);
}

export function promptMessages(options: PromptOptions, source: string): Message[] {
  const user: Message = { role: "user", content: promptText(options, source) };
  return options.system === null ? [user] : [{ role: "system", content: options.system }, user];
}

/**
 * One line of the trainer's file. `chat` {"messages"}, `completion` {"prompt", "completion"} and `plain` {"text"} are the
 * layouts that TRL's SFTTrainer, Axolotl, LLaMA-Factory and others read; beside a chat prompt `completion` holds messages
 * too, so that the loss is on the answer alone.
 */
export type Layout = "chat" | "completion" | "plain";

export function trainingLine(layout: Layout, options: PromptOptions, source: string, answer: string): string {
  const chat = options.api === "chat";
  const said: Message[] = [{ role: "assistant", content: answer }];
  switch (layout) {
    case "chat":
      return JSON.stringify({ messages: [...promptMessages(options, source), ...said] });
    case "completion":
      return JSON.stringify(
        chat
          ? { prompt: promptMessages(options, source), completion: said }
          : { prompt: promptText(options, source), completion: answer },
      );
    case "plain":
      return JSON.stringify({ text: promptText(options, source) + answer });
  }
}
