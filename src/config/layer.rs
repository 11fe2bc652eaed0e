//! Laying one file over what came before it: key by key, so that a later file changes only what it says.

use std::collections::BTreeMap;

use toml::Spanned;

use super::{
    Config, DjangoConfig, EnvironmentConfig, ForwardConfig, RoleConfig, Sourced,
    alias::Alias,
    check, doctor,
    file::{self, DjangoTable, EnvironmentTable, ForwardTable, Named, RoleTable},
    sources::{Layer, SourceFile},
};
use crate::error::Result;

impl Config {
    /// Lays a file over the layers before it.
    ///
    /// # Errors
    /// When the file says something kdj does not understand.
    pub(super) fn lay(&mut self, file: &SourceFile) -> Result<()> {
        let table = file::parse(file)?;
        if let Some(color) = table.color {
            if file.layer == Layer::Project {
                let error = file.error(color.span().start, "`color` is each user's own taste, and not the project's");
                return Err(error.hint("put it in your user file, or set `KDJ_COLOR`"));
            }
            self.color = file.sourced(color);
        }
        self.django.lay(table.django, file)?;
        self.database.lay(table.database, file)?;
        self.logs.lay(table.logs, file)?;
        for (name, table) in table.environments {
            file.check(&name, |name| check::name(name))?;
            let (name, origin) = (name.get_ref().clone(), file.origin(name.span().start));
            let entry = self.environments.entry(name.clone()).or_insert_with(|| EnvironmentConfig::new(origin.clone()));
            entry.origin = origin;
            entry.lay(&name, table, file)?;
        }
        lay_roles(&mut self.roles, table.roles, file)?;
        for (name, table) in table.forwards {
            file.check(&name, |name| check::forward_name(name))?;
            let origin = file.origin(name.span().start);
            let forward = self.forwards.entry(name.into_inner()).or_insert_with(|| ForwardConfig::new(origin.clone()));
            forward.origin = origin;
            forward.lay(table, file)?;
        }
        for (name, template) in table.aliases {
            file.check(&name, |name| check::exact_name(name))?;
            let alias = Alias::parse(template.get_ref());
            let alias = alias.map_err(|what| file.error(template.span().start, what))?;
            let alias = Sourced::new(alias, file.origin(name.span().start));
            self.aliases.insert(name.into_inner(), alias);
        }
        doctor::lay(&mut self.doctor, table.doctor, file)?;
        if file.layer == Layer::Project {
            self.project = Some(file.fingerprint());
        }
        self.files.push(file.path.as_ref().clone());
        Ok(())
    }
}

impl DjangoConfig {
    fn lay(&mut self, table: DjangoTable, file: &SourceFile) -> Result<()> {
        file.set(&mut self.manage, table.manage, |words| check::words(words))?;
        file.set(&mut self.workdir, table.workdir, |path| check::directory(path))
    }
}

impl EnvironmentConfig {
    fn lay(&mut self, name: &str, table: EnvironmentTable, file: &SourceFile) -> Result<()> {
        let pattern = name.contains('*');
        file.set(&mut self.context, table.context, |text| check::text(text))?;
        file.set(&mut self.namespace, table.namespace, |text| check::namespace_template(text, pattern))?;
        file.set(&mut self.instance, table.instance, |text| check::instance_template(text, pattern))?;
        file.set(&mut self.protected, table.protected, |_| Ok(()))?;
        file.set(&mut self.session, table.session, |_| Ok(()))?;
        self.django.lay(table.django, file)?;
        self.database.lay(table.database, file)?;
        lay_roles(&mut self.roles, table.roles, file)
    }
}

impl RoleConfig {
    fn lay(&mut self, table: RoleTable, file: &SourceFile) -> Result<()> {
        file.set(&mut self.selector, table.selector, |text| check::text(text))?;
        file.set(&mut self.container, table.container, |text| check::text(text))
    }
}

impl ForwardConfig {
    fn lay(&mut self, table: ForwardTable, file: &SourceFile) -> Result<()> {
        file.set(&mut self.role, table.role, |text| check::exact_name(text))?;
        file.set(&mut self.host, table.host, |text| check::host(text))?;
        file.set(&mut self.port, table.port, |_| Ok(()))?;
        file.set(&mut self.local, table.local, |_| Ok(()))
    }
}

fn lay_roles(roles: &mut BTreeMap<String, RoleConfig>, tables: Named<RoleTable>, file: &SourceFile) -> Result<()> {
    for (name, table) in tables {
        file.check(&name, |name| check::exact_name(name))?;
        roles.entry(name.into_inner()).or_default().lay(table, file)?;
    }
    Ok(())
}

impl SourceFile {
    fn sourced<T>(&self, value: Spanned<T>) -> Sourced<T> {
        let origin = self.origin(value.span().start);
        Sourced::new(value.into_inner(), origin)
    }

    pub(super) fn check<T>(&self, value: &Spanned<T>, check: impl FnOnce(&T) -> Result<(), String>) -> Result<()> {
        check(value.get_ref()).map_err(|what| self.error(value.span().start, what))
    }

    /// Replaces `slot` when the file says something, and something sound.
    pub(super) fn set<T>(
        &self,
        slot: &mut Option<Sourced<T>>,
        value: Option<Spanned<T>>,
        check: impl FnOnce(&T) -> Result<(), String>,
    ) -> Result<()> {
        if let Some(value) = value {
            self.check(&value, check)?;
            *slot = Some(self.sourced(value));
        }
        Ok(())
    }
}
