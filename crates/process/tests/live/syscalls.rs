//! What a target that waits in the kernel notices of being stopped.

use std::collections::BTreeMap;
use std::process::Command;

use deadweight_process::{Limits, LiveCopy};

use crate::target::Target;

/// One thread a call: it makes the bare call through `ctypes`, counts how often it returns early with
/// `EINTR` (which Python hides by calling again), and says how it ended.
const WAITERS: &str = r#"
import ctypes, os, select, socket, struct, sys, tempfile, threading, time
libc = ctypes.CDLL(None, use_errno=True)
EINTR = 4
results = {}
r, w = os.pipe()
server = socket.create_server(("127.0.0.1", 0))
pair = socket.socketpair()
timed = socket.socketpair()
timed[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 100, 0))
epoll = select.epoll()
epoll.register(r, select.EPOLLIN)
word = ctypes.c_int(1)
semaphore = ctypes.create_string_buffer(64)
libc.sem_init(semaphore, 0, 0)
room = ctypes.create_string_buffer(64)
long = lambda *words: ctypes.byref((ctypes.c_long * len(words))(*words))
sem = libc.semget(0, 1, 0o1600)
def pollfd(): return (ctypes.c_int * 2)(r, select.POLLIN)
def at(seconds): return long(int(time.time()) + seconds, 0)
calls = {
    "nanosleep": lambda: libc.nanosleep(long(1, 500_000_000), None),
    "clock_nanosleep": lambda: -libc.clock_nanosleep(1, 1, long(int(time.monotonic()) + 2, 0), None),
    "read": lambda: libc.read(r2, room, 1),
    "recv": lambda: libc.recv(pair[0].fileno(), room, 1, 0),
    "recv with SO_RCVTIMEO": lambda: libc.recv(timed[0].fileno(), room, 1, 0),
    "accept": lambda: libc.accept(server.fileno(), None, None),
    "epoll_wait": lambda: libc.epoll_wait(epoll.fileno(), room, 1, 100_000),
    "poll": lambda: libc.poll(pollfd(), 1, 100_000),
    "futex": lambda: libc.syscall(202, ctypes.byref(word), 0, 1, None, None, 0),
    "futex with a timeout": lambda: libc.syscall(202, ctypes.byref(word), 0, 1, long(100, 0), None, 0),
    "sem_wait": lambda: libc.sem_wait(semaphore),
    "sem_timedwait": lambda: libc.sem_timedwait(semaphore, at(100)),
    "semop": lambda: libc.semop(sem, struct.pack("hhh", 0, -1, 0), 1),
}
r2, w2 = os.pipe()
def wait(name, call):
    early = 0
    while True:
        ctypes.set_errno(0)
        got = call()
        error = ctypes.get_errno()
        if got < 0 and (error == EINTR or got == -EINTR): early += 1; continue
        results[name] = (early, 0 if got >= 0 else error or -got)
        return
lock = threading.Lock(); lock.acquire()
event = threading.Event()
def python(name, call, wanted):
    since = time.monotonic()
    got = call()
    results[name] = (0, 0 if wanted(got, time.monotonic() - since) else 1)
pythons = {
    "time.sleep": (lambda: time.sleep(1.5), lambda got, took: 1.5 <= took < 30),
    "Lock.acquire(timeout)": (lambda: lock.acquire(timeout=1.5), lambda got, took: got is False and 1.5 <= took < 30),
    "Event.wait": (lambda: event.wait(100), lambda got, took: got is True),
    "select.select": (lambda: select.select([r], [], [], 100), lambda got, took: got[0] == [r]),
    "socket.recv": (lambda: pair[1].recv(1), lambda got, took: got == b"x"),
    "epoll.poll": (lambda: epoll.poll(100), lambda got, took: len(got) == 1),
}
threads = [threading.Thread(target=wait, args=it) for it in calls.items()]
threads += [threading.Thread(target=python, args=(name, *it)) for name, it in pythons.items()]
for thread in threads: thread.start()
time.sleep(0.3)
print(threading.active_count(), flush=True)
sys.stdin.readline()
# What was waited for comes about.
os.write(w, b"x"); os.write(w2, b"x"); pair[1].send(b"x"); pair[0].send(b"x"); timed[1].send(b"x")
client = socket.create_connection(server.getsockname())
event.set()
libc.sem_post(semaphore); libc.sem_post(semaphore)
libc.semop(sem, struct.pack("hhh", 0, 1, 0), 1)
word.value = 0
while {"futex", "futex with a timeout"} - results.keys():
    libc.syscall(202, ctypes.byref(word), 1, 100, None, None, 0)
    time.sleep(0.01)
for thread in threads: thread.join()
libc.semctl(sem, 0, 0)
for name, (early, error) in results.items(): print(early, error, name)
print("end", flush=True)
"#;

/// Calls that signal(7) lists as returning early after a stop: the kernel does not restart them.
const EARLY: [&str; 3] = ["epoll_wait", "recv with SO_RCVTIMEO", "semop"];

#[test]
fn calls_that_wait_go_on_waiting_after_fifty_stops() {
    let mut target = Target::start(Command::new("python3").args(["-c", WAITERS]));
    let threads = target.numbers()[0];
    assert_eq!(threads, 20);
    for _ in 0..50 {
        LiveCopy::take(target.pid(), &Limits::default()).unwrap();
    }
    let mut results = BTreeMap::new();
    let mut line = target.ask();
    while line != "end" {
        let mut words = line.splitn(3, ' ');
        let [early, error] = [(); 2].map(|()| words.next().unwrap().parse::<u32>().unwrap());
        let name = words.next().unwrap().to_owned();
        println!("{early:>3} times EINTR  {name}");
        assert_eq!(error, 0, "{name}");
        results.insert(name, early);
        line = target.line();
    }
    assert_eq!(results.len(), 19, "{results:?}");
    for (name, early) in results {
        if EARLY.contains(&name.as_str()) {
            assert!(early > 0, "{name} never returned early: docs/safety.md says that it does");
        } else {
            assert_eq!(early, 0, "{name}");
        }
    }
}
