"""Serves one model by OpenAI's chat completions, as much of them as a Grow step asks: for two cores and small models.

    python serve.py MODEL --port 8000

Requests that wait are decoded together. A draw follows from the request's seed and the choice's number alone, so that the
same request gives the same answers however it was batched (up to the rounding of sums, which depends on the batch).
On a GPU use vLLM or SGLang instead: the same run drives them (docs/scale.md).
"""

import argparse
import inspect
import json
import queue
import threading
import time
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, LlamaForCausalLM


# Transformers renames the argument.
CACHE = "cache" if "cache" in inspect.signature(LlamaForCausalLM.forward).parameters else "past_key_values"


class Row:
    """One choice that is being written."""

    def __init__(self, prompt: list[int], asked: dict, choice: int):
        self.prompt = prompt
        self.temperature = float(asked.get("temperature", 1.0))
        self.top_p = float(asked.get("top_p", 1.0))
        self.top_k = int(asked.get("top_k", 0) or 0)
        self.most = int(asked.get("max_tokens") or asked.get("max_completion_tokens") or 256)
        self.random = torch.Generator().manual_seed(int(asked.get("seed") or 0) * 1_000_003 + choice)
        self.tokens: list[int] = []
        self.finished = False

    def draw(self, logits: torch.Tensor) -> int:
        if self.temperature == 0:
            return int(logits.argmax())
        logits = logits / self.temperature
        if self.top_k > 0:
            logits[logits < logits.topk(self.top_k).values[-1]] = -torch.inf
        probabilities = logits.softmax(-1)
        if self.top_p < 1:
            ordered, index = probabilities.sort(descending=True)
            # The token that reaches the share stays.
            ordered[ordered.cumsum(-1) - ordered >= self.top_p] = 0
            return int(index[torch.multinomial(ordered, 1, generator=self.random)])
        return int(torch.multinomial(probabilities, 1, generator=self.random))


class Model:
    def __init__(self, name: str, rows: int):
        self.name = name
        self.rows = rows
        self.tokenizer = AutoTokenizer.from_pretrained(name)
        self.model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32).eval()
        ends = self.model.generation_config.eos_token_id
        self.ends = set(ends if isinstance(ends, list) else [ends])
        self.waiting: queue.Queue = queue.Queue()
        threading.Thread(target=self.work, daemon=True).start()

    def ask(self, asked: dict) -> dict:
        prompt = self.tokenizer.apply_chat_template(
            asked["messages"], add_generation_prompt=True, tokenize=True, return_dict=False
        )
        rows = [Row(prompt, asked, choice) for choice in range(int(asked.get("n") or 1))]
        done: Future = Future()
        self.waiting.put((rows, done))
        done.result()
        return {
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self.name,
            "choices": [
                {
                    "index": index,
                    "message": {"role": "assistant", "content": self.text(row)},
                    "finish_reason": "stop" if row.finished else "length",
                }
                for index, row in enumerate(rows)
            ],
            "usage": {
                "prompt_tokens": len(prompt),
                "completion_tokens": sum(len(row.tokens) for row in rows),
            },
        }

    def text(self, row: Row) -> str:
        return self.tokenizer.decode(row.tokens, skip_special_tokens=True).strip()

    def work(self) -> None:
        while True:
            batch = [self.waiting.get()]
            # What comes within a moment is decoded along.
            deadline = time.monotonic() + 0.05
            while sum(len(rows) for rows, _ in batch) < self.rows:
                try:
                    batch.append(self.waiting.get(timeout=max(0.0, deadline - time.monotonic())))
                except queue.Empty:
                    break
            try:
                self.decode([rows for rows, _ in batch])
                for _, done in batch:
                    done.set_result(None)
            except Exception as error:
                for _, done in batch:
                    done.set_exception(error)

    @torch.inference_mode()
    def decode(self, requests: list[list[Row]]) -> None:
        # Choices of one request share its prompt, which is read once.
        prompts = [rows[0].prompt for rows in requests]
        longest = max(len(prompt) for prompt in prompts)
        tokens = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        cache = DynamicCache()
        logits = self.forward(tokens, mask, places, cache)
        running = [row for rows in requests for row in rows]
        index = torch.tensor([i for i, rows in enumerate(requests) for _ in rows])
        cache.batch_select_indices(index)
        mask, places, logits = mask[index], places[index], logits[index]
        while True:
            for row, of_row in zip(running, logits):
                row.tokens.append(row.draw(of_row))
                row.finished = row.tokens[-1] in self.ends
            stay = [i for i, row in enumerate(running) if not row.finished and len(row.tokens) < row.most]
            if not stay:
                return
            index = torch.tensor(stay)
            if len(stay) < len(running):
                running = [running[i] for i in stay]
                cache.batch_select_indices(index)
            tokens = torch.tensor([[row.tokens[-1]] for row in running])
            mask = torch.cat([mask[index], torch.ones(len(running), 1, dtype=mask.dtype)], dim=1)
            places = places[index][:, -1:] + 1
            logits = self.forward(tokens, mask, places, cache)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor, places: torch.Tensor, cache: DynamicCache) -> torch.Tensor:
        return self.model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=places,
            use_cache=True,
            logits_to_keep=1,
            **{CACHE: cache},
        ).logits[:, -1]


class Handler(BaseHTTPRequestHandler):
    model: Model

    def do_GET(self) -> None:
        self.answer(200, {"object": "list", "data": [{"id": self.model.name, "object": "model"}]})

    def do_POST(self) -> None:
        try:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(200, self.model.ask(asked))
        except (KeyError, TypeError, ValueError) as error:
            self.answer(400, {"error": {"message": f"{type(error).__name__}: {error}"}})
        except Exception as error:
            self.answer(500, {"error": {"message": f"{type(error).__name__}: {error}"}})

    def answer(self, status: int, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="folder, or name on the Hugging Face Hub")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--rows", type=int, default=64, help="choices decoded together, about (default 64)")
    parser.add_argument("--threads", type=int, help="of the arithmetic (default: one a core)")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    Handler.model = Model(args.model, args.rows)
    print(f"serving {args.model} on port {args.port}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", args.port), Handler).serve_forever()


main()
