//! A cache of weak references behind some strong ones: of what was used last.

use std::mem::offset_of;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard};

use pyo3::exceptions::{PyMemoryError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple, PyWeakrefReference};
use pyo3::{PyTraverseError, PyVisit, intern};

use super::call::Call;
use super::layout::{self, Places};
use super::locate::{Shelf, hash_of, locate, lock, missing};
use super::slab::{Entry, NoRoom, Slab};

/// For each new entry so many others are looked at, and taken out if their value is gone: of those there are
/// never many more than of the living.
const LOOKS: usize = 2;

struct Held {
    weak: Py<PyWeakrefReference>,
    strong: Option<Py<PyAny>>,
}

impl Held {
    fn value<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.weak.bind(py).upgrade()
    }
}

/// Invariants: the places of strong references are linked, and no others; there are `hot` of them.
struct State {
    slab: Slab<Held>,
    hot: usize,
    /// The place that is looked at next.
    hand: usize,
    hits: u64,
    misses: u64,
    /// Entries whose value was found gone.
    gone: u64,
}

impl Shelf for State {
    type Item = Held;
    fn slab(&self) -> &Slab<Held> {
        &self.slab
    }
}

/// Objects to let go when nobody holds the lock.
type Later = (Vec<Entry<Held>>, Vec<Py<PyAny>>);

impl State {
    /// The value of an entry; if it is gone the entry goes too.
    fn living<'py>(
        &mut self,
        py: Python<'py>,
        place: u32,
        later: &mut Later,
    ) -> Option<Bound<'py, PyAny>> {
        let value = self.slab.get(place)?.item.value(py);
        if value.is_none() {
            self.gone += 1;
            later.0.extend(self.remove(place));
        }
        value
    }

    fn remove(&mut self, place: u32) -> Option<Entry<Held>> {
        if self.slab.get(place)?.item.strong.is_some() {
            self.slab.unlink(place);
            self.hot -= 1;
        }
        self.slab.take(place)
    }

    /// Holds the value of an entry, as the one used last.
    fn warm(&mut self, place: u32, value: &Bound<'_, PyAny>, most: usize, later: &mut Later) {
        let Some(entry) = self.slab.get_mut(place).filter(|_| most > 0) else { return };
        if entry.item.strong.is_some() {
            self.slab.touch(place);
            return;
        }
        entry.item.strong = Some(value.clone().unbind());
        self.slab.link(place);
        self.hot += 1;
        self.cool(most, later);
    }

    /// Holds only so many.
    fn cool(&mut self, most: usize, later: &mut Later) {
        while self.hot > most {
            let Some(oldest) = self.slab.oldest() else { return };
            self.slab.unlink(oldest);
            self.hot -= 1;
            if let Some(entry) = self.slab.get_mut(oldest) {
                later.1.extend(entry.item.strong.take());
            }
        }
    }

    fn sweep(&mut self, py: Python<'_>, looks: usize, later: &mut Later) {
        for _ in 0..looks.min(self.slab.places()) {
            self.hand = if self.hand + 1 < self.slab.places() { self.hand + 1 } else { 0 };
            self.living(py, self.hand as u32, later);
        }
    }
}

#[pyclass(subclass, frozen, module = "deadweight._core")]
pub(crate) struct WeakCache(Box<Inside>);

/// Not in the object itself: who weighs that takes what lies in its padding for references.
pub(crate) struct Inside {
    hot: usize,
    state: Mutex<State>,
}

impl Deref for WeakCache {
    type Target = Inside;
    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl WeakCache {
    /// Bytes of what it has allocated.
    pub(crate) fn size(&self) -> usize {
        size_of::<Inside>() + self.state().slab.size()
    }

    /// Of these, what its class does not say.
    pub(crate) fn table_size(&self) -> usize {
        self.state().slab.table_size()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn look<'py>(&self, key: &Bound<'py, PyAny>, hash: u64) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut later = Later::default();
        let mut found = locate(&self.state, key, hash)?;
        let state = &mut *found.shelf;
        let value = found.place.and_then(|place| {
            let value = state.living(key.py(), place, &mut later)?;
            state.warm(place, &value, self.hot, &mut later);
            Some(value)
        });
        match value {
            Some(_) => state.hits += 1,
            None => state.misses += 1,
        }
        drop(found);
        Ok(value)
    }

    /// Keeps a value for a key. If `is_first` and there is one, that one stays. Gives the one that is kept.
    fn put<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        hash: u64,
        value: &Bound<'py, PyAny>,
        is_first: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        let weak = PyWeakrefReference::new(value).map_err(|error| no_weak(&error, value))?;
        let mut later = Later::default();
        let mut found = locate(&self.state, key, hash)?;
        let state = &mut *found.shelf;
        if is_first
            && let Some(place) = found.place
            && let Some(first) = state.living(py, place, &mut later)
        {
            state.warm(place, &first, self.hot, &mut later);
            drop(found);
            return Ok(first);
        }
        // The one that was found may have been gone.
        let place = found.place.filter(|&place| state.slab.get(place).is_some());
        let held = Held { weak: weak.unbind(), strong: None };
        if let Some(place) = place {
            if state.slab.get(place).is_some_and(|entry| entry.item.strong.is_some()) {
                state.slab.unlink(place);
                state.hot -= 1;
            }
            if let Some(entry) = state.slab.get_mut(place) {
                let before = std::mem::replace(&mut entry.item, held);
                later.1.extend(before.strong);
            }
            state.warm(place, value, self.hot, &mut later);
        } else {
            let place = state.slab.insert(hash, key.clone().unbind(), held);
            let place =
                place.map_err(|NoRoom| PyMemoryError::new_err("no memory for another entry"))?;
            state.warm(place, value, self.hot, &mut later);
            state.sweep(py, LOOKS, &mut later);
        }
        drop(found);
        Ok(value.clone())
    }

    fn remove<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut found = locate(&self.state, key, hash_of(key)?)?;
        let entry = found.place.and_then(|place| found.shelf.remove(place));
        drop(found);
        Ok(entry.and_then(|entry| entry.item.value(key.py())))
    }
}

fn no_weak(error: &PyErr, value: &Bound<'_, PyAny>) -> PyErr {
    let py = value.py();
    if !error.is_instance_of::<PyTypeError>(py) {
        return error.clone_ref(py);
    }
    let name =
        value.get_type().qualname().map_or_else(|_| "such".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!(
        "there is no weak reference to '{name}' objects: keep them in a Cache, or as attributes of one of a class of \
         your own"
    ))
}

#[pymethods]
impl WeakCache {
    #[new]
    #[pyo3(signature = (hot, /))]
    fn new(hot: usize) -> WeakCache {
        let state = State { slab: Slab::default(), hot: 0, hand: 0, hits: 0, misses: 0, gone: 0 };
        WeakCache(Box::new(Inside { hot, state: Mutex::new(state) }))
    }

    /// Where the entries lie, for who reads our memory from outside.
    #[classattr]
    fn _layout(py: Python<'_>) -> Bound<'_, PyBytes> {
        let cache = WeakCache::new(0);
        let state = (&raw const *cache.state()).addr() - (&raw const *cache.0).addr();
        let places = Places {
            inside: size_of::<Inside>(),
            slab: state + offset_of!(State, slab),
            value: offset_of!(Held, weak),
            held: Some(offset_of!(Held, strong)),
            weigher: None,
            on_evict: None,
            on_refused: None,
        };
        PyBytes::new(py, &layout::bytes::<Held>(&places))
    }

    #[getter]
    fn hot(&self) -> usize {
        self.hot
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock does not wait for the collector.
        let Ok(state) = self.state.try_lock() else { return Ok(()) };
        for entry in state.slab.entries() {
            visit.call(&entry.key)?;
            visit.call(&entry.item.weak)?;
            visit.call(&entry.item.strong)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        self.clear();
    }

    /// How many values are there. All are looked at.
    fn __len__(&self, py: Python<'_>) -> usize {
        let mut later = Later::default();
        let mut state = self.state();
        let places = state.slab.places();
        state.sweep(py, places, &mut later);
        let count = state.slab.len();
        drop(state);
        count
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.peek(key, None)?.is_some())
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.look(key, hash_of(key)?)?.ok_or_else(|| missing(key))
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.put(key, hash_of(key)?, value, false).map(drop)
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        self.remove(key)?.map(drop).ok_or_else(|| missing(key))
    }

    /// The keys whose values are there, and weak references to these.
    fn _entries<'py>(&self, py: Python<'py>) -> Vec<(Py<PyAny>, Bound<'py, PyWeakrefReference>)> {
        let state = self.state();
        let living = state.slab.entries().filter(|entry| entry.item.value(py).is_some());
        living.map(|it| (it.key.clone_ref(py), it.item.weak.bind(py).clone())).collect()
    }

    /// The value of a key, if it is there, which is held now; else the default.
    #[pyo3(signature = (key, default=None, /))]
    fn get<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.look(key, hash_of(key)?)?.or(default))
    }

    /// The same, and nothing is held or counted.
    #[pyo3(signature = (key, default=None, /))]
    fn peek<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = locate(&self.state, key, hash_of(key)?)?;
        let entry = found.place.and_then(|place| found.shelf.slab.get(place));
        let value = entry.and_then(|entry| entry.item.value(key.py()));
        drop(found);
        Ok(value.or(default))
    }

    /// The value of a key; if there is none, the default, which is kept for it then. Of several threads that do
    /// so at a time, all get the same.
    #[pyo3(signature = (key, default, /))]
    fn setdefault<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let hash = hash_of(key)?;
        match self.look(key, hash)? {
            Some(value) => Ok(value),
            None => self.put(key, hash, default, true),
        }
    }

    /// Takes out the value of a key; else gives the default, or raises `KeyError` if there is none.
    #[pyo3(signature = (key, /, *default))]
    fn pop<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        default: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if default.len() > 1 {
            return Err(PyTypeError::new_err("pop takes a key and at most one default"));
        }
        match self.remove(key)? {
            Some(value) => Ok(value),
            None if default.is_empty() => Err(missing(key)),
            None => default.get_item(0),
        }
    }

    /// Takes out all entries. What was counted stays.
    fn clear(&self) {
        let mut state = self.state();
        let before = state.slab.clear();
        (state.hot, state.hand) = (0, 0);
        drop(state);
        drop(before);
    }

    /// Takes out all entries, and forgets what was counted.
    fn _reset(&self) {
        self.clear();
        let mut state = self.state();
        (state.hits, state.misses, state.gone) = (0, 0, 0);
    }

    /// The result of a call, if it is there; else the call.
    fn _recall<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: &Bound<'py, PyDict>,
        typed: bool,
    ) -> PyResult<Py<PyAny>> {
        let (key, hash) = Call::of(args, Some(kwargs), typed)?;
        self.look(&key, hash)?.map_or_else(|| Call::missed(key, hash), |it| Ok(it.unbind()))
    }

    /// Keeps the result of a call. Gives the one that is kept: another thread may have been quicker.
    fn _remember<'py>(
        &self,
        call: &Bound<'py, Call>,
        result: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Call { key, hash } = call.get();
        self.put(key.bind(call.py()), *hash, result, true)
    }

    /// Holds only so many of the values, and lets go of the keys of those that are gone. How many values it let go.
    #[pyo3(signature = (most, /))]
    fn _cool(&self, py: Python<'_>, most: usize) -> usize {
        let mut later = Later::default();
        let mut state = self.state();
        state.cool(most, &mut later);
        let places = state.slab.places();
        state.sweep(py, places, &mut later);
        drop(state);
        later.1.len()
    }

    /// How many values are held; hits and misses; how many values were found gone.
    fn _stats(&self) -> (usize, u64, u64, u64) {
        let state = self.state();
        (state.hot, state.hits, state.misses, state.gone)
    }

    fn __sizeof__(slf: &Bound<'_, WeakCache>) -> PyResult<usize> {
        let instance: usize =
            slf.get_type().getattr(intern!(slf.py(), "__basicsize__"))?.extract()?;
        Ok(instance + slf.get().size())
    }
}
