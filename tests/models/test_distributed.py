"""Two processes that drop the pathway each on its own: DistributedDataParallel has to cope."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import spawn
from torch.nn.parallel import DistributedDataParallel

from avdet.models.build import build_model
from tests.models.tiny import tiny_batch, tiny_config

STEPS = 4


def _train(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    torch.manual_seed(0)
    model = build_model(tiny_config(drop_pathway_rate=0.5, avs_stages=("res3",)), num_classes=3, head="roi")
    parallel = DistributedDataParallel(model, find_unused_parameters=True)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    torch.manual_seed(rank)
    unheard = []
    for step in range(STEPS):
        silent = (rank, step) in {(0, 1), (0, 3), (1, 3)}
        batch = tiny_batch((not silent, not silent), boxes=2 * (step > 0), paired=True, seed=2 * step + rank)
        optimizer.zero_grad(set_to_none=True)
        torch.stack([loss.float() for loss in parallel(batch).values()]).sum().backward()
        optimizer.step()
        unheard.append(all(p.grad is None for name, p in model.named_parameters() if ".audio." in name))
    torch.save({"state": dict(model.named_parameters()), "unheard": unheard}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_processes_that_drop_apart_stay_in_step(tmp_path: Path) -> None:
    """Both silent: no audio gradient. One silent, one process without boxes: both go on, with the same weights."""
    spawn(_train, args=(str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first["unheard"] == second["unheard"] == [False, False, False, True]
    for name, parameter in first["state"].items():
        assert torch.equal(parameter, second["state"][name]), name
