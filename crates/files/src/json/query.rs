//! What is asked of records: which of them, and what of each.

use std::ops::Range;

use fearless_simd::Level;

use super::literal::{Literal, Wanted};
use super::path::{Found, Path, Paths, forget};
use super::plain::{self, Marks};
use super::whole::{self, NotJson};

/// Conditions in steps, all of which a record has to meet, and the places whose values are wanted.
#[derive(Clone, Debug)]
pub struct Query {
    paths: Paths,
    steps: Vec<Vec<Condition>>,
    selected: Vec<usize>,
}

/// A place, and what may be there.
pub type Asked = (Path, Vec<Literal>);

#[derive(Clone, Debug)]
struct Condition {
    slot: usize,
    any_of: Wanted,
}

impl Query {
    /// Each step is met if each of its places has one of its values; a place that is missing meets none.
    #[must_use]
    pub fn new(steps: Vec<Vec<Asked>>, selected: &[Path]) -> Query {
        let asked = steps.iter().flatten().map(|(path, _)| path);
        let paths = Paths::new(asked.chain(selected));
        let slot = |path: &Path| paths.slot(path).unwrap_or_default();
        let condition =
            |(path, any_of): Asked| Condition { slot: slot(&path), any_of: Wanted::new(any_of) };
        let selected = selected.iter().map(slot).collect();
        let step = |step: Vec<Asked>| step.into_iter().map(condition).collect();
        let steps = steps.into_iter().map(step).collect();
        Query { paths, steps, selected }
    }

    /// How many steps there are.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps.len()
    }
}

/// Asks lines.
///
/// ```
/// use deadweight_files::json::{Literal, Query, Reader};
///
/// let level = vec![(vec!["level".to_owned()], vec![Literal::Text("ERROR".to_owned())])];
/// let mut reader = Reader::new(Query::new(vec![level], &[vec!["user".to_owned(), "id".to_owned()]]));
/// let line = br#"{"level": "ERROR", "user": {"id": 7}}"#;
/// reader.look(line);
/// assert_eq!(reader.read(line, &(0..line.len()))?, 1);
/// let values: Vec<_> = reader.selected().collect();
/// assert_eq!(&line[values[0].clone().unwrap()], b"7");
/// # Ok::<(), deadweight_files::json::NotJson>(())
/// ```
pub struct Reader {
    query: Query,
    level: Level,
    marks: Marks,
    found: Found,
}

impl Reader {
    /// With this query.
    #[must_use]
    pub fn new(query: Query) -> Reader {
        let found = query.paths.nothing_found();
        Reader { query, level: Level::new(), marks: Marks::default(), found }
    }

    /// What is asked.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Gets ready for the lines in these bytes.
    pub fn look(&mut self, bytes: &[u8]) {
        self.marks.look(self.level, bytes);
    }

    /// How many steps a line meets, up to the first that it does not; it is one of the bytes that were last
    /// [looked](Reader::look) at, and comes behind those that were read since; one that is bad may come again.
    ///
    /// # Errors
    /// If it is no JSON, wherever in the line that is.
    pub fn read(&mut self, bytes: &[u8], line: &Range<usize>) -> Result<usize, NotJson> {
        let (paths, its) = (&self.query.paths, &bytes[line.clone()]);
        forget(&mut self.found);
        if plain::read(&mut self.marks, bytes, line, paths, &mut self.found).is_none() {
            forget(&mut self.found);
            whole::read(its, paths, &mut self.found)?;
        }
        let met = |condition: &Condition| {
            let value = self.found[condition.slot].clone();
            value.is_some_and(|place| condition.any_of.has(&its[place]))
        };
        Ok(self.query.steps.iter().take_while(|step| step.iter().all(met)).count())
    }

    /// Where in the line that was read last the wanted values are, in the order in which they were asked for.
    pub fn selected(&self) -> impl Iterator<Item = Option<Range<usize>>> + '_ {
        self.query.selected.iter().map(|slot| self.found[*slot].clone())
    }
}
