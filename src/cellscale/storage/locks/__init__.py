"""Locks of folders and runs, on local disks and in object stores: for one alone, or shared by the tasks of a run."""

from cellscale.storage.locks.exclusive_locks import folder_lock, run_lock
from cellscale.storage.locks.shared_locks import shared_folder_lock, shared_run_lock

__all__ = ["folder_lock", "run_lock", "shared_folder_lock", "shared_run_lock"]
