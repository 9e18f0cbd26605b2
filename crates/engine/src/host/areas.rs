//! Library areas: their globals, and what their code is given.

use super::{HostState, bytecode, lock};
use crate::config::Area;
use crate::js::{Atom, Exception, Scope, Value};

/// Bytes of what a fault says.
const MAX_WHY: usize = 1 << 10;

impl HostState {
    /// First touch of an area: runs its code and turns its accessors into plain properties.
    pub(super) fn load_area<'js>(&self, scope: Scope<'js>, wanted: &str, area: &Area) -> Result<Value<'js>, Exception> {
        let known = lock(&self.library).areas.get(&area.number()).map(|saved| scope.load(saved));
        if let Some(exports) = known {
            // The accessor is still there because it has to be, or because the script froze the global object.
            return exports.get_str(wanted);
        }
        let exports = self.evaluate_area(scope, area).map_err(|Exception| self.area_fault(scope, area))?;
        lock(&self.library).areas.insert(area.number(), scope.save(exports.clone()));
        if area.lent().is_none() {
            let global = scope.global();
            for (index, (name, _)) in self.globals_of(area) {
                let name = scope.atom(name)?;
                // What a script has declared itself is its own.
                if self.is_untouched(&global, index, &name)? {
                    global.define_hidden(&name, exports.get(&name)?)?;
                }
            }
        }
        exports.get_str(wanted)
    }

    /// That an area does not load, which is a fault of whoever wrote it and not of the script that has touched it.
    fn area_fault(&self, scope: Scope<'_>, area: &Area) -> Exception {
        let thrown = scope.catch();
        let part = |key: &str| thrown.get_str(key).ok().and_then(|text| text.text_prefix(MAX_WHY));
        let (name, message) = (part("name").unwrap_or_default(), part("message").unwrap_or_default());
        if name == "RangeError" {
            // The script was near the end of its stack when it touched it.
            return scope.throw(thrown);
        }
        scope.throw_error("Error", &format!("the library area {} does not load: {name}: {message}", area.file()))
    }

    /// An area's globals, with their numbers.
    pub(super) fn globals_of<'a>(&'a self, area: &Area) -> impl Iterator<Item = (usize, &'a (String, Area))> {
        let number = area.number();
        self.config.globals().iter().enumerate().filter(move |(_, (_, of))| of.number() == number)
    }

    /// Whether the global of this number is what the VM was built with: scripts have not declared it themselves.
    pub(super) fn is_untouched<'js>(
        &self,
        global: &Value<'js>,
        index: usize,
        name: &Atom<'js>,
    ) -> Result<bool, Exception> {
        let address = lock(&self.library).accessors.get(index).copied();
        Ok(address.is_some() && global.accessor(name)? == address)
    }

    /// The value of an area's global, for a script.
    pub(super) fn area_global<'js>(
        &self,
        scope: Scope<'js>,
        wanted: &str,
        area: &Area,
    ) -> Result<Value<'js>, Exception> {
        match area.lent() {
            Some(kind) if !lock(&self.context).scope.lent.has(kind) => Ok(scope.undefined()),
            _ => self.load_area(scope, wanted, area),
        }
    }

    /// Globals that the run was lent and that the script has declared itself, each told once in a VM.
    pub(crate) fn shadowed(&self, scope: Scope<'_>) -> Vec<String> {
        let lent = lock(&self.context).scope.lent.clone();
        if lent.is_empty() {
            return Vec::new();
        }
        let global = scope.global();
        let mut shadowed = Vec::new();
        for (index, (name, area)) in self.config.globals().iter().enumerate() {
            if !area.lent().is_some_and(|kind| lent.has(kind)) {
                continue;
            }
            match scope.atom(name).and_then(|name| self.is_untouched(&global, index, &name)) {
                Ok(true) => {}
                Ok(false) => shadowed.push(name),
                Err(Exception) => drop(scope.catch()),
            }
        }
        let mut library = lock(&self.library);
        shadowed.into_iter().filter(|name| library.told.insert((*name).clone())).cloned().collect()
    }

    pub(super) fn evaluate_area<'js>(&self, scope: Scope<'js>, area: &Area) -> Result<Value<'js>, Exception> {
        let code = bytecode(scope, area.bytecode(), area.source(), area.file())?;
        let intrinsics = self.intrinsics(scope)?;
        let (ops, hooks) = (self.ops_object(scope)?, self.hooks(scope)?);
        scope.call(&scope.eval_bytecode(code)?, &scope.undefined(), &[&ops, &intrinsics, &hooks, &scope.global()])
    }

    /// What library code has of the language. Made of what the bootstrap captured, when it is first asked for.
    pub(super) fn intrinsics<'js>(&self, scope: Scope<'js>) -> Result<Value<'js>, Exception> {
        if let Some(saved) = &lock(&self.library).intrinsics {
            return Ok(scope.load(saved));
        }
        let make = lock(&self.library).make_intrinsics.as_ref().map(|saved| scope.load(saved)).ok_or(Exception)?;
        let intrinsics = scope.call(&make, &scope.undefined(), &[])?;
        lock(&self.library).intrinsics = Some(scope.save(intrinsics.clone()));
        Ok(intrinsics)
    }

    /// The object through which library code calls ops, each of which is made when it is first asked for.
    pub(super) fn ops_object<'js>(&self, scope: Scope<'js>) -> Result<Value<'js>, Exception> {
        if let Some(saved) = &lock(&self.library).ops {
            return Ok(scope.load(saved));
        }
        let object = scope.lazy_functions()?;
        lock(&self.library).ops = Some(scope.save(object.clone()));
        Ok(object)
    }

    /// The object on which library code leaves functions for the engine to call.
    pub(super) fn hooks<'js>(&self, scope: Scope<'js>) -> Result<Value<'js>, Exception> {
        if let Some(saved) = &lock(&self.library).hooks {
            return Ok(scope.load(saved));
        }
        let object = scope.bare_object()?;
        lock(&self.library).hooks = Some(scope.save(object.clone()));
        Ok(object)
    }
}
