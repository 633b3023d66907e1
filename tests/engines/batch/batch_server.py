"""A server of Google Cloud Batch (and of its logs) whose machines are processes here.

The real clients talk to it over gRPC. Jobs are queued, run and retried by the rules of their definitions:
parallelism, exit codes and lifecycle policies, steps that always run. Tasks are forked from a process that has
imported cellscale already, as if every machine had it at hand.
"""

import json
import multiprocessing
import os
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc
from google.cloud import batch_v1
from google.cloud.logging_v2.types import ListLogEntriesRequest, ListLogEntriesResponse, LogEntry
from google.longrunning import operations_pb2

__all__ = ["BatchServer", "Fault", "batch_server"]

PREEMPTED = 50001
OVER = {"SUCCEEDED", "FAILED", "CANCELLED"}
PRELOADED = [
    "cellscale.cli.commands.stage",
    "cellscale.cli.commands.jobs",
    "cellscale.engines.tasks.image_task",
    "cellscale.engines.tasks.finish",
    "cellscale.engines.batch.follow.job_chain",
    "cellscale.predict.network",
    "gcsfs",
]


@dataclass
class Fault:
    """What befalls the attempts of one task, the first attempt first: the exit code that Batch reports."""

    exit_codes: list
    after: str = "begins"
    """The task is killed when it has written this."""


@dataclass
class Served:
    """A job, its tasks and their states."""

    job: batch_v1.Job
    request_id: str
    tasks: dict = field(default_factory=dict)
    """State by index."""
    others: dict = field(default_factory=dict)
    """State of each other job when this one was submitted."""
    attempts: list = field(default_factory=list)
    """(index, step's name, exit code) of everything that ran."""
    stopped: threading.Event = field(default_factory=threading.Event)
    processes: set = field(default_factory=set)

    def set_state(self, state):
        event = batch_v1.StatusEvent(type_="STATUS_CHANGED", description=f"Job state is set to {state}")
        self.job.status.status_events.append(event)
        self.job.status.state = batch_v1.JobStatus.State[state]

    @property
    def state(self):
        return self.job.status.state.name


class BatchServer:
    """Batch's jobs; a test may look into it, and have things go wrong."""

    def __init__(self, folder, environment, machines=2):
        self.folder = folder
        self.environment = environment
        self.jobs = {}
        self.faults = {}
        """`Fault` by step's name and task's index."""
        self.programs = {}
        """Functions that stand in for programs other than cellscale, by name: they get the words."""
        self.refusal = None
        """Code and message with which every job is refused."""
        self.away = 0
        """How many requests find nobody."""
        self.holds = False
        """No machine is to be had: jobs wait."""
        self._lock = threading.Lock()
        self._machines = threading.Semaphore(machines)
        self._fork = multiprocessing.get_context("forkserver")
        self._fork.set_forkserver_preload(PRELOADED)
        self._threads = []

    def job(self, step):
        """The newest job of a step of a run."""
        return [served for name, served in self.jobs.items() if name.endswith(f"-{step}")][-1]

    # The service's methods.

    def create_job(self, request, context):
        name = f"{request.parent}/jobs/{request.job_id}"
        with self._lock:
            if name in self.jobs:
                if self.jobs[name].request_id == request.request_id:
                    return self.jobs[name].job
                context.abort(grpc.StatusCode.ALREADY_EXISTS, f"{name} exists")
            job = batch_v1.Job(request.job)
            job.name, job.uid = name, f"{request.job_id[:40]}-{len(self.jobs)}"
            others = {name: served.state for name, served in self.jobs.items()}
            served = self.jobs[name] = Served(job, request.request_id, others=others)
            served.set_state("QUEUED")
            served.tasks = dict.fromkeys(range(job.task_groups[0].task_count), "PENDING")
        if not self.holds:
            thread = threading.Thread(target=self._run, args=(served,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return job

    def get_job(self, request, context):
        served = self._find(request.name, context)
        counts = {}
        for state in served.tasks.values():
            counts[state] = counts.get(state, 0) + 1
        served.job.status.task_groups = {"group0": batch_v1.JobStatus.TaskGroupStatus(counts=counts)}
        return served.job

    def list_jobs(self, request, context):
        return batch_v1.ListJobsResponse(jobs=[served.job for served in self.jobs.values()])

    def list_tasks(self, request, context):
        served = self._find(request.parent.partition("/taskGroups/")[0], context)
        first = int(request.page_token or 0)
        last = first + (request.page_size or 100)
        tasks = [
            batch_v1.Task(name=f"{request.parent}/tasks/{index}", status={"state": state})
            for index, state in sorted(served.tasks.items())[first:last]
        ]
        return batch_v1.ListTasksResponse(tasks=tasks, next_page_token=str(last) if last < len(served.tasks) else "")

    def cancel_job(self, request, context):
        served = self._find(request.name, context)
        served.stopped.set()
        for process in list(served.processes):
            process.kill()
        served.set_state("CANCELLED")
        return operations_pb2.Operation(name=f"{request.name}/cancel", done=True)

    def delete_job(self, request, context):
        self.cancel_job(request, context)
        del self.jobs[request.name]
        return operations_pb2.Operation(name=f"{request.name}/delete", done=True)

    def list_log_entries(self, request, context):
        uid = re.search(r'labels\.job_uid="([^"]*)"', request.filter)[1]
        task = re.search(r'labels\.task_id:"[^"]*-group0-(\d+)/"', request.filter)
        entries = []
        for log in sorted(self.folder.glob(f"{uid}.{task[1] if task else '*'}.log")):
            entries += [_entry(line) for line in log.read_text().splitlines()]
        return ListLogEntriesResponse(entries=entries)

    def _find(self, name, context):
        if name not in self.jobs:
            context.abort(grpc.StatusCode.NOT_FOUND, f"job {name} was not found")
        return self.jobs[name]

    # The machines.

    def _run(self, served):
        group = served.job.task_groups[0]
        served.set_state("RUNNING")
        with ThreadPoolExecutor(min(group.parallelism, 8)) as pool:
            wait([pool.submit(self._task, served, group.task_spec, index) for index in served.tasks])
        if not served.stopped.is_set():
            served.set_state("FAILED" if "FAILED" in served.tasks.values() else "SUCCEEDED")

    def _task(self, served, spec, index):
        for tried in range(spec.max_retry_count + 1):
            if served.stopped.is_set():
                served.tasks[index] = "UNEXECUTED"
                return
            served.tasks[index] = "RUNNING"
            code = self._attempt(served, spec, index, tried)
            if code == 0:
                served.tasks[index] = "SUCCEEDED"
                return
            (policy,) = spec.lifecycle_policies
            if code not in policy.action_condition.exit_codes:
                break
        served.tasks[index] = "FAILED"

    def _attempt(self, served, spec, index, tried):
        """Run the steps of a task once, and return the exit code that Batch reports."""
        failed = 0
        for runnable in spec.runnables:
            if failed and not runnable.always_run:
                continue
            code = self._step(
                served, runnable, index, {**spec.environment.variables, "BATCH_TASK_RETRY_ATTEMPT": str(tried)}
            )
            served.attempts.append((index, runnable.display_name, code))
            if code >= PREEMPTED:
                return code
            failed = failed or (0 if runnable.ignore_exit_status else code)
        return failed

    def _step(self, served, runnable, index, variables):
        program, words = runnable.container.entrypoint, list(runnable.container.commands)
        if program != "cellscale":
            return self.programs[program](words)
        environment = {**self.environment, **variables, "BATCH_TASK_INDEX": str(index)}
        log = self.folder / f"{served.job.uid}.{index}.log"
        # A conductor waits most of the time, and must not keep a machine from those it waits for.
        machine = self._machines if runnable.display_name != "conduct" else threading.Semaphore()
        with machine:
            process = self._fork.Process(target=work, args=(words, environment, str(log)))
            process.start()
            served.processes.add(process)
            fault = self.faults.get((runnable.display_name, index))
            if fault and fault.exit_codes:
                return self._strike(process, fault, log)
            process.join()
        served.processes.discard(process)
        return process.exitcode if process.exitcode >= 0 else 128 - process.exitcode

    def _strike(self, process, fault, log):
        """Kill a task when it has come so far."""
        while process.is_alive() and not (log.exists() and fault.after in log.read_text()):
            time.sleep(0.01)
        process.kill()
        process.join()
        return fault.exit_codes.pop(0)


def work(words, environment, log):
    """Be a machine: run cellscale with these words."""
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.stdout = os.fdopen(1, "w", buffering=1)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    from cellscale.cli.main import cellscale

    cellscale(words, prog_name="cellscale")


def _entry(line):
    now = datetime.now(UTC)
    try:
        return LogEntry(json_payload=json.loads(line), severity=json.loads(line)["severity"], timestamp=now)
    except ValueError:
        return LogEntry(text_payload=line, severity="ERROR", timestamp=now)


METHODS = {
    "CreateJob": (batch_v1.CreateJobRequest, batch_v1.Job),
    "GetJob": (batch_v1.GetJobRequest, batch_v1.Job),
    "ListJobs": (batch_v1.ListJobsRequest, batch_v1.ListJobsResponse),
    "ListTasks": (batch_v1.ListTasksRequest, batch_v1.ListTasksResponse),
    "CancelJob": (batch_v1.CancelJobRequest, operations_pb2.Operation),
    "DeleteJob": (batch_v1.DeleteJobRequest, operations_pb2.Operation),
    "ListLogEntries": (ListLogEntriesRequest, ListLogEntriesResponse),
}


@contextmanager
def batch_server(folder, environment, **settings):
    """Run the server; yields it and its address ``host:port``."""
    grpc_server = grpc.server(ThreadPoolExecutor(8))
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    address = f"127.0.0.1:{port}"
    server = BatchServer(folder, {**environment, "CELLSCALE_BATCH_ENDPOINT": address}, **settings)
    handlers = {name: _handler(server, name, *types) for name, types in METHODS.items()}
    for service in ("google.cloud.batch.v1.BatchService", "google.logging.v2.LoggingServiceV2"):
        grpc_server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    grpc_server.start()
    try:
        yield server, address
    finally:
        for served in server.jobs.values():
            served.stopped.set()
            for process in list(served.processes):
                process.kill()
        for thread in server._threads:
            thread.join()
        grpc_server.stop(None).wait()


def _handler(server, name, request, response):
    method = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()

    def answer(message, context):
        if server.away:
            server.away -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "come back later")
        if server.refusal is not None and name == "CreateJob":
            context.abort(*server.refusal)
        return getattr(server, method)(message, context)

    serialize = getattr(response, "serialize", None) or response.SerializeToString
    return grpc.unary_unary_rpc_method_handler(answer, request.deserialize, serialize)
