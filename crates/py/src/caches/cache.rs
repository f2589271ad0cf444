//! A cache with a bound: entries by hash, the one used longest ago goes first.

use std::mem::offset_of;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard};

use pyo3::exceptions::{PyException, PyKeyError, PyMemoryError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit, intern};

use super::call::Call;
use super::iterator::{CacheIterator, Part};
use super::layout::{self, Places};
use super::locate::{Shelf, hash_of, locate, lock, missing};
use super::slab::{Entry, NoRoom, Slab};
use super::weight::{Weight, asked, deep};

/// What is kept for a key.
pub(super) struct Kept {
    pub(super) value: Py<PyAny>,
    weight: Weight,
}

/// Why an entry is let go.
#[derive(Clone, Copy)]
enum Cause {
    MaxSize,
    MaxBytes,
    Shrink,
    /// There is another value for its key.
    Replaced,
}

impl Cause {
    fn word(self) -> &'static str {
        match self {
            Cause::MaxSize => "maxsize",
            Cause::MaxBytes => "max_bytes",
            Cause::Shrink => "shrink",
            Cause::Replaced => "replaced",
        }
    }
}

/// An entry that the cache has let go: key, value, and why.
type Gone = Vec<(Py<PyAny>, Py<PyAny>, Cause)>;

#[derive(Default)]
struct Counts {
    hits: u64,
    misses: u64,
    /// By cause.
    gone: [u64; 4],
    /// Values heavier than all may be together.
    refused: u64,
    /// Exceptions of `on_evict`.
    errors: u64,
}

/// Invariants: all places with entries are linked. `bytes` is the sum of their weights, and `estimated` how many
/// of these are estimates.
pub(super) struct State {
    pub(super) slab: Slab<Kept>,
    bytes: u128,
    estimated: u64,
    counts: Counts,
    weigher: Option<Py<PyAny>>,
    on_evict: Option<Py<PyAny>>,
    /// Told of the first that is too heavy, and then gone.
    on_refused: Option<Py<PyAny>>,
}

impl Shelf for State {
    type Item = Kept;
    fn slab(&self) -> &Slab<Kept> {
        &self.slab
    }
}

impl State {
    fn add_weight(&mut self, weight: Weight) {
        self.bytes += u128::from(weight.bytes());
        self.estimated += u64::from(weight.is_estimated());
    }

    fn take_weight(&mut self, weight: Weight) {
        self.bytes -= u128::from(weight.bytes());
        self.estimated -= u64::from(weight.is_estimated());
    }

    fn remove(&mut self, place: u32) -> Option<Entry<Kept>> {
        self.slab.get(place)?;
        self.slab.unlink(place);
        let entry = self.slab.take(place)?;
        self.take_weight(entry.item.weight);
        Some(entry)
    }

    fn evict(&mut self, place: u32, cause: Cause, gone: &mut Gone) {
        if let Some(entry) = self.remove(place) {
            self.counts.gone[cause as usize] += 1;
            gone.push((entry.key, entry.item.value, cause));
        }
    }

    /// Lets go of the oldest entries until there are so few, or they are so light.
    fn shrink(&mut self, entries: usize, bytes: u128, causes: [Cause; 2], gone: &mut Gone) {
        while let Some(oldest) = self.slab.oldest() {
            let [too_many, too_heavy] = causes;
            if self.slab.len() > entries {
                self.evict(oldest, too_many, gone);
            } else if self.bytes > bytes {
                self.evict(oldest, too_heavy, gone);
            } else {
                break;
            }
        }
    }
}

#[pyclass(subclass, frozen, module = "deadweight._core")]
pub(crate) struct Cache(Box<Inside>);

/// Not in the object itself: who weighs that takes what lies in its padding for references.
pub(crate) struct Inside {
    maxsize: Option<usize>,
    max_bytes: Option<u64>,
    is_weighed: bool,
    state: Mutex<State>,
}

impl Deref for Cache {
    type Target = Inside;
    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl Cache {
    /// Bytes of what it has allocated.
    pub(crate) fn size(&self) -> usize {
        size_of::<Inside>() + self.state().slab.size()
    }

    /// Of these, what its class does not say.
    pub(crate) fn table_size(&self) -> usize {
        self.state().slab.table_size()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn most_bytes(&self) -> u128 {
        self.max_bytes.map_or(u128::MAX, u128::from)
    }

    fn weigh(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Weight> {
        if !self.is_weighed {
            return Ok(Weight::default());
        }
        let weigher = self.state().weigher.as_ref().map(|weigher| weigher.clone_ref(key.py()));
        weigher
            .map_or_else(|| deep(key, value), |weigher| asked(weigher.bind(key.py()), key, value))
    }

    /// The value of a key, which is the one used last now.
    pub(super) fn look(&self, key: &Bound<'_, PyAny>, hash: u64) -> PyResult<Option<Py<PyAny>>> {
        let mut found = locate(&self.state, key, hash)?;
        let state = &mut *found.shelf;
        let Some(place) = found.place else {
            state.counts.misses += 1;
            return Ok(None);
        };
        state.counts.hits += 1;
        state.slab.touch(place);
        Ok(state.slab.get(place).map(|entry| entry.item.value.clone_ref(key.py())))
    }

    /// Keeps a value for a key, or, if `is_first`, gives the one that is there.
    pub(super) fn put(
        &self,
        key: &Bound<'_, PyAny>,
        hash: u64,
        value: &Bound<'_, PyAny>,
        is_first: bool,
    ) -> PyResult<Option<Py<PyAny>>> {
        let py = key.py();
        let weight = self.weigh(key, value)?;
        let fits = self.maxsize != Some(0) && u128::from(weight.bytes()) <= self.most_bytes();
        let mut gone = Gone::new();
        let mut refused = None;
        let mut found = locate(&self.state, key, hash)?;
        let state = &mut *found.shelf;
        match found.place {
            Some(place) if is_first => {
                return Ok(state.slab.get(place).map(|entry| entry.item.value.clone_ref(py)));
            }
            at if !fits => {
                state.counts.refused += 1;
                if let Some(place) = at {
                    state.evict(place, Cause::Replaced, &mut gone);
                }
                // Who has room for nothing at all wants nothing kept.
                if self.maxsize != Some(0) && self.max_bytes != Some(0) {
                    refused = state.on_refused.take();
                }
            }
            Some(place) => {
                if let Some(entry) = state.slab.get_mut(place) {
                    let kept = Kept { value: value.clone().unbind(), weight };
                    let before = std::mem::replace(&mut entry.item, kept);
                    if !before.value.is(value) {
                        state.counts.gone[Cause::Replaced as usize] += 1;
                        gone.push((entry.key.clone_ref(py), before.value, Cause::Replaced));
                    }
                    state.take_weight(before.weight);
                    state.add_weight(weight);
                    state.slab.touch(place);
                    let causes = [Cause::MaxSize, Cause::MaxBytes];
                    state.shrink(usize::MAX, self.most_bytes(), causes, &mut gone);
                }
            }
            None => {
                let entries = self.maxsize.map_or(usize::MAX, |most| most - 1);
                let bytes = self.most_bytes().saturating_sub(u128::from(weight.bytes()));
                state.shrink(entries, bytes, [Cause::MaxSize, Cause::MaxBytes], &mut gone);
                let kept = Kept { value: value.clone().unbind(), weight };
                match state.slab.insert(hash, key.clone().unbind(), kept) {
                    Ok(place) => state.slab.link(place),
                    Err(NoRoom) => {
                        return Err(PyMemoryError::new_err("no memory for another entry"));
                    }
                }
                state.add_weight(weight);
            }
        }
        drop(found);
        self.tell(py, gone)?;
        if let Some(refused) = refused {
            refused.call1(py, (weight.bytes(), self.max_bytes))?;
        }
        Ok(None)
    }

    /// Tells `on_evict` what was let go, and lets go of it: the cache is whole.
    fn tell(&self, py: Python<'_>, gone: Gone) -> PyResult<()> {
        if gone.is_empty() {
            return Ok(());
        }
        let callback = self.state().on_evict.as_ref().map(|callback| callback.clone_ref(py));
        let Some(callback) = callback else { return Ok(()) };
        let mut fatal = None;
        for (key, value, cause) in gone {
            let Err(error) = callback.call1(py, (key, value, cause.word())) else { continue };
            self.state().counts.errors += 1;
            if error.is_instance_of::<PyException>(py) {
                error.write_unraisable(py, Some(callback.bind(py)));
            } else {
                // That somebody wants the program to end is not for us to keep.
                fatal = Some(error);
            }
        }
        fatal.map_or(Ok(()), Err)
    }

    fn remove(&self, key: &Bound<'_, PyAny>) -> PyResult<Option<Entry<Kept>>> {
        let mut found = locate(&self.state, key, hash_of(key)?)?;
        let entry = found.place.and_then(|place| found.shelf.remove(place));
        drop(found);
        Ok(entry)
    }
}

#[pymethods]
impl Cache {
    #[new]
    #[pyo3(signature = (maxsize, max_bytes, weigher, on_evict, on_refused, /))]
    fn new(
        maxsize: Option<usize>,
        max_bytes: Option<u64>,
        weigher: Option<Py<PyAny>>,
        on_evict: Option<Py<PyAny>>,
        on_refused: Option<Py<PyAny>>,
    ) -> Cache {
        let is_weighed = max_bytes.is_some() || weigher.is_some();
        let state = Mutex::new(State {
            slab: Slab::default(),
            bytes: 0,
            estimated: 0,
            counts: Counts::default(),
            weigher,
            on_evict,
            on_refused,
        });
        Cache(Box::new(Inside { maxsize, max_bytes, is_weighed, state }))
    }

    /// Where the entries lie, for who reads our memory from outside.
    #[classattr]
    fn _layout(py: Python<'_>) -> Bound<'_, PyBytes> {
        let cache = Cache::new(None, None, None, None, None);
        let state = (&raw const *cache.state()).addr() - (&raw const *cache.0).addr();
        let places = Places {
            inside: size_of::<Inside>(),
            slab: state + offset_of!(State, slab),
            value: offset_of!(Kept, value),
            held: None,
            weigher: Some(state + offset_of!(State, weigher)),
            on_evict: Some(state + offset_of!(State, on_evict)),
            on_refused: Some(state + offset_of!(State, on_refused)),
        };
        PyBytes::new(py, &layout::bytes::<Kept>(&places))
    }

    #[getter]
    fn maxsize(&self) -> Option<usize> {
        self.maxsize
    }

    #[getter]
    fn max_bytes(&self) -> Option<u64> {
        self.max_bytes
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock does not wait for the collector.
        let Ok(state) = self.state.try_lock() else { return Ok(()) };
        for entry in state.slab.entries() {
            visit.call(&entry.key)?;
            visit.call(&entry.item.value)?;
        }
        visit.call(&state.weigher)?;
        visit.call(&state.on_evict)?;
        visit.call(&state.on_refused)
    }

    fn __clear__(&self) {
        let mut state = self.state();
        let hooks = (state.weigher.take(), state.on_evict.take(), state.on_refused.take());
        let slab = state.slab.clear();
        (state.bytes, state.estimated) = (0, 0);
        drop(state);
        drop((slab, hooks));
    }

    fn __len__(&self) -> usize {
        self.state().slab.len()
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(locate(&self.state, key, hash_of(key)?)?.place.is_some())
    }

    fn __getitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.look(key, hash_of(key)?)?.ok_or_else(|| missing(key))
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.put(key, hash_of(key)?, value, false).map(drop)
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        self.remove(key)?.map(drop).ok_or_else(|| missing(key))
    }

    fn __iter__(slf: Py<Cache>) -> CacheIterator {
        CacheIterator::over(slf, Part::Key)
    }

    fn _values(slf: Py<Cache>) -> CacheIterator {
        CacheIterator::over(slf, Part::Value)
    }

    fn _items(slf: Py<Cache>) -> CacheIterator {
        CacheIterator::over(slf, Part::Item)
    }

    /// The value of a key, which is the one used last now; else the default.
    #[pyo3(signature = (key, default=None, /))]
    fn get(
        &self,
        key: &Bound<'_, PyAny>,
        default: Option<Py<PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        Ok(self.look(key, hash_of(key)?)?.or(default))
    }

    /// The same, and nothing is changed or counted.
    #[pyo3(signature = (key, default=None, /))]
    fn peek(
        &self,
        key: &Bound<'_, PyAny>,
        default: Option<Py<PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let found = locate(&self.state, key, hash_of(key)?)?;
        let entry = found.place.and_then(|place| found.shelf.slab.get(place));
        Ok(entry.map(|entry| entry.item.value.clone_ref(key.py())).or(default))
    }

    /// The value of a key; if there is none, the default, which is kept for it then. Of several threads that do
    /// so at a time, all get the same.
    #[pyo3(signature = (key, default=None, /))]
    fn setdefault<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let hash = hash_of(key)?;
        if let Some(value) = self.look(key, hash)? {
            return Ok(value);
        }
        let default = default.unwrap_or_else(|| key.py().None().into_bound(key.py()));
        Ok(self.put(key, hash, &default, true)?.unwrap_or_else(|| default.unbind()))
    }

    /// Takes out the value of a key; else gives the default, or raises `KeyError` if there is none.
    #[pyo3(signature = (key, /, *default))]
    fn pop(&self, key: &Bound<'_, PyAny>, default: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        if default.len() > 1 {
            return Err(pyo3::exceptions::PyTypeError::new_err(
                "pop takes a key and at most one default",
            ));
        }
        match self.remove(key)? {
            Some(entry) => Ok(entry.item.value),
            None if default.is_empty() => Err(missing(key)),
            None => Ok(default.get_item(0)?.unbind()),
        }
    }

    /// Takes out the key and value that were used longest ago.
    fn popitem(&self) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let mut state = self.state();
        let entry = state.slab.oldest().and_then(|oldest| state.remove(oldest));
        drop(state);
        let entry = entry.ok_or_else(|| PyKeyError::new_err("the cache is empty"))?;
        Ok((entry.key, entry.item.value))
    }

    /// Takes out all entries. What was counted stays.
    fn clear(&self) {
        let mut state = self.state();
        let before = state.slab.clear();
        (state.bytes, state.estimated) = (0, 0);
        drop(state);
        drop(before);
    }

    /// Takes out all entries, and forgets what was counted.
    fn _reset(&self) {
        self.clear();
        self.state().counts = Counts::default();
    }

    /// The result that is kept of a call; else the call.
    fn _recall<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: &Bound<'py, PyDict>,
        typed: bool,
    ) -> PyResult<Py<PyAny>> {
        let (key, hash) = Call::of(args, Some(kwargs), typed)?;
        self.look(&key, hash)?.map_or_else(|| Call::missed(key, hash), Ok)
    }

    /// Keeps the result of a call. Gives the one that is kept: another thread may have been quicker.
    fn _remember<'py>(
        &self,
        call: &Bound<'py, Call>,
        result: &Bound<'py, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let Call { key, hash } = call.get();
        let kept = self.put(key.bind(call.py()), *hash, result, true)?;
        Ok(kept.unwrap_or_else(|| result.clone().unbind()))
    }

    /// Lets go of the oldest entries until there are so few, and they are so light. How many went.
    #[pyo3(signature = (entries, bytes, /))]
    fn _shrink(
        &self,
        py: Python<'_>,
        entries: Option<usize>,
        bytes: Option<u128>,
    ) -> PyResult<usize> {
        let mut gone = Gone::new();
        let (entries, bytes) = (entries.unwrap_or(usize::MAX), bytes.unwrap_or(u128::MAX));
        let mut state = self.state();
        state.shrink(entries, bytes, [Cause::Shrink; 2], &mut gone);
        if state.slab.len() == 0 {
            // The room for entries goes as well.
            state.slab.clear();
        }
        drop(state);
        let count = gone.len();
        self.tell(py, gone)?;
        Ok(count)
    }

    /// Weighs all entries again. Those that are too many bytes now go, the oldest first; one that is too heavy by
    /// itself before all.
    fn _reweigh(&self, py: Python<'_>) -> PyResult<()> {
        let entries: Vec<_> = {
            let state = self.state();
            let entry = |place| Some((place, state.slab.get(place)?));
            let entries = state.slab.by_age().filter_map(entry);
            entries
                .map(|(place, it)| (place, it.key.clone_ref(py), it.item.value.clone_ref(py)))
                .collect()
        };
        let mut gone = Gone::new();
        let mut failed = None;
        for (place, key, value) in entries {
            let weight = match self.weigh(key.bind(py), value.bind(py)) {
                Ok(weight) => weight,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            let mut state = self.state();
            let is_same = |it: &&mut Entry<Kept>| it.key.is(&key) && it.item.value.is(&value);
            let Some(entry) = state.slab.get_mut(place).filter(is_same) else { continue };
            let before = std::mem::replace(&mut entry.item.weight, weight);
            state.take_weight(before);
            state.add_weight(weight);
            if u128::from(weight.bytes()) > self.most_bytes() {
                state.evict(place, Cause::MaxBytes, &mut gone);
            }
        }
        let causes = [Cause::MaxSize, Cause::MaxBytes];
        self.state().shrink(usize::MAX, self.most_bytes(), causes, &mut gone);
        self.tell(py, gone)?;
        failed.map_or(Ok(()), Err)
    }

    /// Entries, their bytes if they are weighed, how many of these are estimates; hits and misses; what was let go
    /// for `maxsize`, for `max_bytes`, to shrink, for another value; what was refused; errors of `on_evict`.
    fn _stats(&self) -> (usize, Option<u128>, u64, u64, u64, [u64; 4], u64, u64) {
        let state = self.state();
        let Counts { hits, misses, gone, refused, errors } = state.counts;
        let bytes = self.is_weighed.then_some(state.bytes);
        (state.slab.len(), bytes, state.estimated, hits, misses, gone, refused, errors)
    }

    fn __sizeof__(slf: &Bound<'_, Cache>) -> PyResult<usize> {
        let instance: usize =
            slf.get_type().getattr(intern!(slf.py(), "__basicsize__"))?.extract()?;
        Ok(instance + slf.get().size())
    }
}
