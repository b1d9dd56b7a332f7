"""Fine-tunes a model on the kept candidates: TRL's SFTTrainer with LoRA, merged into a model that any server can load.

    python train.py TRAIN.jsonl MODEL OUT --learning-rate 2e-4 --seed 1

The last line on standard output names the new model, which is how coppice learns of it.
"""

import argparse
import json
import pathlib

import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", help="lines of {prompt, completion}, as improve.trainer.layout completion writes them")
    parser.add_argument("model")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, help="of the arithmetic (default: one a core)")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    data = load_dataset("json", data_files=args.train, split="train")
    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        train_dataset=data,
        args=SFTConfig(
            output_dir=str(args.out / "checkpoints"),
            num_train_epochs=args.epochs,
            per_device_train_batch_size=args.batch,
            learning_rate=args.learning_rate,
            lr_scheduler_type="constant_with_warmup",
            warmup_steps=5,
            max_length=512,
            # The loss is on the answer alone.
            completion_only_loss=True,
            logging_steps=10,
            save_strategy="no",
            report_to=[],
            seed=args.seed % 2**31,
            use_cpu=not torch.cuda.is_available(),
            bf16=torch.cuda.is_available(),
            fp16=False,
            gradient_checkpointing=False,
        ),
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    result = trainer.train()
    merged = args.out / "model"
    trainer.model.merge_and_unload().save_pretrained(merged)
    tokenizer.save_pretrained(merged)
    print(json.dumps({"model": str(merged), "steps": result.global_step, "loss": result.training_loss}))


main()
