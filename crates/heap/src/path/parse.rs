//! Text to path.

use std::str::FromStr;

use super::{PathError, PathExpr, RootExpr, StepExpr, is_unprintable};
use crate::roots::RootKind;

impl FromStr for PathExpr {
    type Err = PathError;

    fn from_str(text: &str) -> Result<PathExpr, PathError> {
        let mut parser = Parser { text, at: 0 };
        let root = parser.root()?;
        let mut steps = Vec::new();
        parser.accessors(&mut steps)?;
        while !parser.rest().is_empty() {
            if parser.rest().starts_with('…') {
                return Err(parser.expected("steps instead of `…`, for which some were left out,"));
            }
            if !parser.separator() {
                return Err(parser.expected("`.`, `[` or ` › `"));
            }
            parser.segment(&mut steps)?;
        }
        Ok(PathExpr { root, steps })
    }
}

/// Whether a name can stand without quotes: letters, digits and underscores, no digit first.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && identifier_len(name) == name.len()
}

/// Whether the name of a thread or an interpreter can stand without quotes.
pub(super) fn is_number_name(name: &str) -> bool {
    !name.is_empty() && number_name_len(name) == name.len()
}

/// Whether a name can stand in angle brackets without quotes.
pub(super) fn is_bracketable(name: &str) -> bool {
    !name.is_empty()
        && name.trim() == name
        && !name.contains(|c| matches!(c, '<' | '>' | '›' | '\'' | '"') || is_unprintable(c))
}

/// Whether the name of a C field can stand in angle brackets without quotes and is not taken for
/// one of the bracketed words.
pub(super) fn is_internal(name: &str) -> bool {
    is_bracketable(name) && bracketed(name).is_none() && !WORDS.contains(&name)
}

/// Whether the label of a frame can stand without quotes.
pub(super) fn is_segment(name: &str) -> bool {
    let plain = !name.is_empty()
        && name.trim() == name
        && !name.contains(|c| matches!(c, '\'' | '"') || is_unprintable(c))
        && separator_in(name).is_none();
    let mut steps = Vec::new();
    let mut parser = Parser { text: name, at: 0 };
    plain && parser.segment(&mut steps).is_ok() && steps == [StepExpr::Segment(name.to_owned())]
}

const WORDS: [&str; 4] = ["locals", "closure", "cell", "weak"];

fn identifier_len(text: &str) -> usize {
    let fits =
        |(at, c): (usize, char)| c == '_' || c.is_alphabetic() || at > 0 && c.is_alphanumeric();
    text.char_indices().find(|&pair| !fits(pair)).map_or(text.len(), |(at, _)| at)
}

fn number_name_len(text: &str) -> usize {
    let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.find(|c| !fits(c)).unwrap_or(text.len())
}

/// Where the first separator begins: `›` or `>` with white space on both sides.
fn separator_in(text: &str) -> Option<usize> {
    let is_separator = |&(at, c): &(usize, char)| {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        matches!(c, '›' | '>')
            && before.ends_with(char::is_whitespace)
            && after.starts_with(char::is_whitespace)
    };
    let (at, _) = text.char_indices().find(is_separator)?;
    Some(text[..at].trim_end().len())
}

/// `field 24` and its like.
fn bracketed(text: &str) -> Option<StepExpr> {
    let (word, offset) = text.split_once(' ')?;
    let offset = number(offset)?;
    match word {
        "field" => Some(StepExpr::Field(offset)),
        "state" => Some(StepExpr::State(offset)),
        "native" => Some(StepExpr::Native(offset)),
        _ => None,
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &'static str) -> PathError {
        PathError::Syntax { text: self.text.to_owned(), at: self.at, expected }
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn require(&mut self, token: &'static str) -> Result<(), PathError> {
        if self.eat(token) { Ok(()) } else { Err(self.expected(token)) }
    }

    fn take(&mut self, len: usize) -> &'a str {
        let taken = &self.rest()[..len];
        self.at += len;
        taken
    }

    fn separator(&mut self) -> bool {
        let rest = self.rest();
        if separator_in(rest) != Some(0) {
            return false;
        }
        let after = rest.trim_start().trim_start_matches(['›', '>']).trim_start();
        self.at += rest.len() - after.len();
        true
    }

    fn root(&mut self) -> Result<RootExpr, PathError> {
        if self.eat("<") {
            return self.holder();
        }
        if let Some(name) = self.quoted()? {
            return Ok(RootExpr::QuotedModule(name));
        }
        let word = self.take(identifier_len(self.rest()));
        let after = self.rest();
        let is_numbered = after.starts_with(' ') && separator_in(after) != Some(0);
        match word {
            "" => Err(self.expected("the name of a module, `thread`, `interpreter` or `<`")),
            "interpreter" if is_numbered => Ok(RootExpr::Interpreter(self.number_name()?)),
            "interpreter" => Ok(RootExpr::Interpreter(String::new())),
            "thread" if is_numbered => Ok(RootExpr::Thread(self.number_name()?)),
            word => Ok(RootExpr::Module(word.to_owned())),
        }
    }

    /// A blank, and the name of a thread or an interpreter.
    fn number_name(&mut self) -> Result<String, PathError> {
        self.require(" ")?;
        if let Some(name) = self.quoted()? {
            return Ok(name);
        }
        match self.take(number_name_len(self.rest())) {
            "" => Err(self.expected("a number")),
            name => Ok(name.to_owned()),
        }
    }

    /// What stands in angle brackets in place of a root; `<` is eaten.
    fn holder(&mut self) -> Result<RootExpr, PathError> {
        let rest = self.rest();
        let kinds = RootKind::ALL.into_iter().filter(|kind| rest.starts_with(kind.word()));
        let Some(kind) = kinds.max_by_key(|kind| kind.word().len()) else {
            return Err(self.expected("the name of a holder"));
        };
        self.eat(kind.word());
        let name = if self.eat(" ") { self.bracketed_name()? } else { String::new() };
        self.require(">")?;
        Ok(RootExpr::Holder(kind, name))
    }

    /// A name up to `>`, or a quoted one.
    fn bracketed_name(&mut self) -> Result<String, PathError> {
        if let Some(name) = self.quoted()? {
            return Ok(name);
        }
        let len = self.rest().find('>').unwrap_or(self.rest().len());
        if !is_bracketable(&self.rest()[..len]) {
            return Err(self.expected("a name and `>`"));
        }
        Ok(self.take(len).to_owned())
    }

    /// Zero or more steps that begin with `.` or `[`.
    fn accessors(&mut self, steps: &mut Vec<StepExpr>) -> Result<(), PathError> {
        loop {
            let step = if self.eat("[") {
                self.index()?
            } else if self.eat(".<") {
                self.special()?
            } else if self.eat(".") {
                match self.quoted()? {
                    Some(name) => StepExpr::QuotedName(name),
                    None => StepExpr::Name(self.name()?),
                }
            } else {
                return Ok(());
            };
            steps.push(step);
        }
    }

    /// What follows a separator: steps, a local variable with steps, or the label of a frame, which
    /// is any text up to the next separator that cannot be read as one of the others.
    fn segment(&mut self, steps: &mut Vec<StepExpr>) -> Result<(), PathError> {
        let (start, known) = (self.at, steps.len());
        let read = self.local(steps);
        let ends = self.rest().is_empty() || separator_in(self.rest()) == Some(0);
        if read.is_ok() && ends {
            return Ok(());
        }
        steps.truncate(known);
        self.at = start;
        match self.take(separator_in(self.rest()).unwrap_or(self.rest().len())) {
            "" => Err(self.expected("a frame or a variable")),
            label => {
                steps.push(StepExpr::Segment(label.to_owned()));
                Ok(())
            }
        }
    }

    fn local(&mut self, steps: &mut Vec<StepExpr>) -> Result<(), PathError> {
        if !self.rest().starts_with(['.', '[']) {
            let name = self.name()?;
            steps.push(StepExpr::Segment(name));
        }
        self.accessors(steps)
    }

    /// A step in angle brackets; `.<` is eaten.
    fn special(&mut self) -> Result<StepExpr, PathError> {
        if let Some(name) = self.quoted()? {
            self.require(">")?;
            return Ok(StepExpr::Internal(name));
        }
        let word = self.bracketed_name()?;
        self.require(">")?;
        let make = match word.as_str() {
            "locals" => StepExpr::Local,
            "closure" => StepExpr::Closure,
            "cell" => StepExpr::Cell,
            "weak" => StepExpr::Weak,
            word => return Ok(bracketed(word).unwrap_or(StepExpr::Internal(word.to_owned()))),
        };
        self.require(".")?;
        Ok(make(self.name()?))
    }

    /// What stands in square brackets; `[` is eaten.
    fn index(&mut self) -> Result<StepExpr, PathError> {
        let step = if let Some(key) = self.quoted()? {
            StepExpr::NamedEntry(key)
        } else if self.eat("*") {
            StepExpr::Elements
        } else if self.eat("#") {
            StepExpr::Entry(self.number()?)
        } else if self.eat("key ") {
            if self.eat("*") { StepExpr::Keys } else { StepExpr::Key(self.number()?) }
        } else if self.eat("stack ") {
            if self.eat("*") { StepExpr::Temporaries } else { StepExpr::Stack(self.number()?) }
        } else {
            StepExpr::Item(self.number()?)
        };
        self.require("]")?;
        Ok(step)
    }

    fn number(&mut self) -> Result<u32, PathError> {
        let rest = self.rest();
        let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let Some(number) = number(&rest[..len]) else {
            return Err(self.expected("an index below 4,294,967,296"));
        };
        self.at += len;
        Ok(number)
    }

    fn name(&mut self) -> Result<String, PathError> {
        if let Some(name) = self.quoted()? {
            return Ok(name);
        }
        match self.take(identifier_len(self.rest())) {
            "" => Err(self.expected("a name")),
            name => Ok(name.to_owned()),
        }
    }

    /// A name in single or double quotes, if one begins here.
    fn quoted(&mut self) -> Result<Option<String>, PathError> {
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            return Ok(None);
        };
        self.at += 1;
        let mut name = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(self.expected("a closing quote"));
            };
            self.at += c.len_utf8();
            match c {
                '\\' => name.push(self.escape()?),
                c if c == quote => return Ok(Some(name)),
                c => name.push(c),
            }
        }
    }

    /// The character after a backslash, which is eaten.
    fn escape(&mut self) -> Result<char, PathError> {
        const EXPECTED: &str = "`\\`, a quote or `u{…}` after a backslash";
        if self.eat("u{") {
            let len = self.rest().find('}').unwrap_or(0);
            let code = u32::from_str_radix(&self.rest()[..len], 16).ok().and_then(char::from_u32);
            let Some(c) = code else { return Err(self.expected(EXPECTED)) };
            self.at += len + 1;
            return Ok(c);
        }
        let Some(c) = self.rest().chars().next().filter(|c| matches!(c, '\\' | '\'' | '"')) else {
            return Err(self.expected(EXPECTED));
        };
        self.at += 1;
        Ok(c)
    }
}
