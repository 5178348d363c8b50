# A Slurm cluster of one node for a test, on loopback, with a munge of its own. Sourced after lib.sh; the test is skipped by name where
# a part is missing. Leaves: daemon[slurmctld], start_controller, until_, idle, $host; a test's own processes in $pid and $long are killed
# at its end.
for program in sbatch squeue scontrol slurmctld slurmd munged; do
  PATH=$PATH:/usr/sbin command -v "$program" > /dev/null || skip "$program (slurm-wlm, munge)"
done
((EUID == 0)) || skip "root: slurmd starts jobs as their users"
PATH=$PATH:/usr/sbin
declare -A daemon=()
pid= long=
# shellcheck disable=SC2317
clean() {
  set +e  # a process that is gone already must not end the cleaning
  for p in $pid $long; do kill -9 "$p" 2> /dev/null; done
  [ -n "${daemon[slurmctld]:-}" ] && squeue -h -o %A | xargs -r timeout 10 scancel 2> /dev/null
  for name in slurmctld slurmd munged; do [ -n "${daemon[$name]:-}" ] && kill "${daemon[$name]}" 2> /dev/null; done
  wait
  rm -rf "$work"
}
trap clean EXIT
# until SECONDS COMMAND…: waits for the command to hold.
until_() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do ((SECONDS < end)) || return 1; sleep 0.1; done
}

# A cluster of one node with four cores, in this folder.
mkdir -m 755 munge spool state log
chmod 755 "$work"
head -c 1024 /dev/urandom > munge/key
chmod 400 munge/key
host=$(hostname -s)
port=$((20000 + RANDOM % 20000))
cat > slurm.conf <<END
ClusterName=solion
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=0
KillWait=1
MessageTimeout=3
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=400 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$work/slurm.conf
munged --foreground --force --socket=munge/socket --key-file="$work/munge/key" --log-file="$work/munge/log" \
  --pid-file="$work/munge/pid" --seed-file="$work/munge/seed" > log/munged 2>&1 &
daemon[munged]=$!
start_controller() {
  slurmctld -D -f slurm.conf >> log/slurmctld 2>&1 &
  daemon[slurmctld]=$!
}
until_ 30 test -S munge/socket || fail "munged: $(cat log/munged)"
start_controller
slurmd -D -f slurm.conf > log/slurmd 2>&1 &
daemon[slurmd]=$!
idle() { sinfo -h -o %T 2> /dev/null | grep -q '^idle'; }
if ! until_ 60 idle; then
  grep -q 'Unable to initialize cgroup plugin' log/slurmd && skip "the cgroups of this machine, for slurmd"
  fail "the cluster does not start: $(tail -n 5 log/*)"
fi

