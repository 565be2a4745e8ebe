#!/usr/bin/env bash
# What the GPUs of this machine do, in one command, offline: tests, training steps beside a plain loop, every stage of
# `paper`, `quick` through Ray Train, and serving at 128 x 128. A part that fails or takes too long does not stop the
# others. All logs and tables are written to OUT. With PAPER_STEPS=8000 the stages alone took 7.4 minutes on an H200.
#
#     scripts/gpu_check.sh OUT [WHEELS]      # WHEELS: a folder that scripts/gpu_wheels.sh filled
#     PARTS="steps stages" PAPER_STEPS=5000 scripts/gpu_check.sh OUT
set -uo pipefail
out=$(realpath -m "${1:?usage: scripts/gpu_check.sh OUT [WHEELS]}")
wheels=${2:+$(realpath "$2")}
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
parts=${PARTS:-tests steps stages quick serve}
run=${RUN:-$out/paper}
mkdir -p "$out"
export HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1 PYTHONPATH=${PYTHONPATH:-}
if [[ -n "$wheels" ]]; then
  "$python" -m pip install --quiet --no-index --no-deps --target "$out/site" "$wheels"/*.whl || exit
  export PYTHONPATH=$out/site:$PYTHONPATH
fi

# part NAME SECONDS COMMAND...: run, with the log kept, and say how it ended.
part() {
  local name=$1 limit=$2 start=$SECONDS
  shift 2
  timeout --signal=INT --kill-after=10 "$limit" "$@" >"$out/$name.log" 2>&1
  local ended=$?
  printf '%s: %s in %d s\n' "$name" "$([[ $ended == 0 ]] && echo done || echo "ended with $ended")" $((SECONDS - start))
  grep -vE 'Warning|core_worker|^ *@|^$' "$out/$name.log" | tail -n 14 | cut -c1-400
}

nvidia-smi --query-gpu=name,memory.total --format=csv,noheader
for name in $parts; do
  case $name in
    tests)
      part tests 90 "$python" -m pytest --noconftest -q -m gpu tests/test_gpu.py -k 'not distributed'
      part tests-distributed 40 "$python" -m pytest --noconftest -q -m gpu tests/test_gpu.py -k distributed
      ;;
    steps)
      part steps-paper 40 "$python" -m benchmarks.gpu_step paper --out "$out/steps-paper.json"
      part steps-quick 45 "$python" -m benchmarks.gpu_step quick --out "$out/steps-quick.json"
      part steps-deterministic 25 "$python" -m benchmarks.gpu_step paper --deterministic
      part steps-dictionaries 45 "$python" -m benchmarks.gpu_step dictionaries --out "$out/steps-dictionaries.json"
      ;;
    stages)
      part stages 600 "$python" -m benchmarks.gpu_stages preset=paper "run=$run" "vae.steps=${PAPER_STEPS:-30000}"
      ;;
    quick)
      part quick-data 40 "$python" -m jobs.prepare_data preset=quick "run=$out/quick"
      part quick 90 "$python" -m jobs.train_vae preset=quick "run=$out/quick"
      ;;
    serve)
      part serve 90 "$python" -m benchmarks.serve_latency --bundle "$run" --servers fused eight --seconds 2
      ;;
    *) echo "no such part: $name" ;;
  esac
done
