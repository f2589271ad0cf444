//! A column of what this crate knows nothing of: somebody else's objects, such as references of a
//! language's. They are kept, copied and let go; nothing is asked of them, and no other format has them.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::allocation::Allocation;
use crate::error::Reason;
use crate::kind::Kind;
use crate::rows::Rows;

/// What a column of objects can have. The default stands for no value: of such columns it is a value
/// like others.
pub trait Opaque: Clone + Default + fmt::Debug + Send + Sync + 'static {}

impl<T: Clone + Default + fmt::Debug + Send + Sync + 'static> Opaque for T {}

/// An object, borrowed from whoever has it.
#[derive(Clone, Copy)]
pub struct Object<'a>(&'a dyn Any);

impl<'a> Object<'a> {
    /// Of an object.
    pub fn new(object: &'a impl Opaque) -> Object<'a> {
        Object(object)
    }

    /// The object, if it is of that type.
    #[must_use]
    pub fn get<T: Opaque>(self) -> Option<&'a T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
}

/// Whether both are borrowed from the same place: whether objects are equal, only their owner knows.
impl PartialEq for Object<'_> {
    fn eq(&self, other: &Object<'_>) -> bool {
        std::ptr::addr_eq(self.0, other.0)
    }
}

/// The type of a column's objects, as that which makes an empty column of them.
#[derive(Clone, Copy)]
pub struct Objects(fn() -> Box<dyn Held>);

impl Objects {
    const fn of<T: Opaque>() -> Objects {
        Objects(|| Box::new(Run::<T> { objects: Vec::new(), most: 0 }))
    }

    pub(crate) fn column(self) -> Box<dyn Held> {
        (self.0)()
    }
}

impl Kind {
    /// Objects of a type, which is the same for all columns of a program.
    #[must_use]
    pub const fn objects<T: Opaque>() -> Kind {
        Kind::Object(Objects::of::<T>())
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Objects")
    }
}

impl PartialEq for Objects {
    fn eq(&self, _: &Objects) -> bool {
        true
    }
}

impl Eq for Objects {}

impl Hash for Objects {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A column of objects, whatever their type.
pub(crate) trait Held: fmt::Debug + Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn len(&self) -> usize;
    fn get(&self, row: usize) -> Option<Object<'_>>;
    fn push(&mut self, object: Option<Object<'_>>) -> Result<(), Reason>;
    fn set(&mut self, row: usize, object: Option<Object<'_>>) -> Result<(), Reason>;
    fn append(&mut self, from: &dyn Held, rows: &Rows<'_>) -> Result<(), Reason>;
    fn truncate(&mut self, len: usize) -> Result<(), Reason>;
    fn delete(&mut self, start: usize, end: usize) -> Result<(), Reason>;
    fn move_last(&mut self, count: usize, at: usize) -> Result<(), Reason>;
    fn reserve(&mut self, rows: usize) -> Result<(), Reason>;
    fn shrink_to_fit(&mut self) -> Result<(), Reason>;
    fn payload(&self) -> usize;
    fn allocation(&self) -> Allocation;
}

const ANOTHER: Reason = Reason::Damaged("objects of another type");

fn owned<T: Opaque>(object: Option<Object<'_>>) -> Result<T, Reason> {
    match object {
        Some(object) => object.get().cloned().ok_or(ANOTHER),
        None => Ok(T::default()),
    }
}

/// Objects one after the other.
#[derive(Debug)]
struct Run<T> {
    objects: Vec<T>,
    /// The most that lay in this block before some were taken away: what was written to takes memory.
    most: usize,
}

impl<T: Opaque> Held for Run<T> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn len(&self) -> usize {
        self.objects.len()
    }

    fn get(&self, row: usize) -> Option<Object<'_>> {
        self.objects.get(row).map(Object::new)
    }

    fn push(&mut self, object: Option<Object<'_>>) -> Result<(), Reason> {
        self.objects.try_reserve(1)?;
        self.objects.push(owned(object)?);
        Ok(())
    }

    fn set(&mut self, row: usize, object: Option<Object<'_>>) -> Result<(), Reason> {
        self.objects[row] = owned(object)?;
        Ok(())
    }

    fn append(&mut self, from: &dyn Held, rows: &Rows<'_>) -> Result<(), Reason> {
        let from = from.as_any().downcast_ref::<Run<T>>().ok_or(ANOTHER)?;
        self.objects.try_reserve(rows.len())?;
        rows.try_for_each(|row| {
            self.objects.push(from.objects[row].clone());
            Ok(())
        })
    }

    fn truncate(&mut self, len: usize) -> Result<(), Reason> {
        self.most = self.most.max(self.len());
        self.objects.truncate(len);
        Ok(())
    }

    fn delete(&mut self, start: usize, end: usize) -> Result<(), Reason> {
        self.most = self.most.max(self.len());
        self.objects.drain(start..end);
        Ok(())
    }

    fn move_last(&mut self, count: usize, at: usize) -> Result<(), Reason> {
        self.objects[at..].rotate_right(count);
        Ok(())
    }

    fn reserve(&mut self, rows: usize) -> Result<(), Reason> {
        Ok(self.objects.try_reserve_exact(rows)?)
    }

    fn shrink_to_fit(&mut self) -> Result<(), Reason> {
        self.objects.shrink_to_fit();
        self.most = 0;
        Ok(())
    }

    fn payload(&self) -> usize {
        size_of_val(self.objects.as_slice())
    }

    fn allocation(&self) -> Allocation {
        let (start, room) = (self.objects.as_ptr().addr(), self.objects.capacity());
        let most = self.most.max(self.len());
        let [bytes, filled] = [room, most].map(|count| count * size_of::<T>());
        Allocation { start: Some(start), bytes, filled: Some(filled) }
    }
}
