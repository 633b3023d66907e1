#!/usr/bin/env bash
# Works on all images of a dataset as an array of Slurm jobs, one for each image, and finishes the run after the last.
#
#   workflows/slurm/submit.sh DATASET [OPTIONS OF cellscale stage plan]
#
# DATASET is a folder that all machines see under the same path. Set before, if the usual values do not fit:
#   CORES=4 MEMORY_GB=16 HOURS=12   of each job
#   AT_ONCE=50                      jobs at the same time
#   SBATCH_PARTITION, SBATCH_ACCOUNT, ...   as for sbatch
set -euo pipefail
dataset=${1:?give the folder of the dataset}
shift
cores=${CORES:-4} memory=${MEMORY_GB:-16} hours=${HOURS:-12}

# A job may see all of the machine's memory and cores, so its share of them is named here.
planned=$(cellscale stage plan --workers "$cores" --max_memory "$((memory * 875))MB" "$@" "$dataset")
count=${planned%% *} tasks=${planned#* }
run=$(dirname "$tasks")

images=$(sbatch --parsable --job-name=cellscale --array="0-$((count - 1))%${AT_ONCE:-50}" --requeue \
    --cpus-per-task="$cores" --mem="${memory}G" --time="$hours:00:00" --output="$run/slurm-%a.log" --open-mode=append \
    "$(dirname "$0")/image.sbatch" "$tasks")
images=${images%%;*}
finish=$(sbatch --parsable --job-name=cellscale-finish --dependency="afterany:$images" --cpus-per-task=1 --mem=4G \
    --time=2:00:00 --output="$run/slurm-finish.log" "$(dirname "$0")/finish.sbatch" "$tasks")
echo "images: job $images, tasks 0 to $((count - 1)); then job ${finish%%;*} finishes the run"
echo "logs and outcome.json: $run"
