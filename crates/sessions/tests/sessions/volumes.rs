//! What is true of files wherever they are: in the session's own tree, in a folder of the host, in one with changes over it.

use std::fs;
use std::path::Path;

use perennial_sessions::RunContext;
use perennial_sessions::files::{Mount, MountMode, Mounts};
use serde_json::{Value, json};

use super::files::{TRY, mount, table, value};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it is made");
        fs::write(path, text).expect("it is written");
    }
    folder
}

fn mounts(all: &[(&Path, &str, MountMode)]) -> RunContext {
    let mounts = all.iter().map(|(host, at, mode)| Mount::open(host, at, *mode).expect("a folder")).collect();
    RunContext::new().grant(Mounts::new(mounts).expect("they fit"))
}

#[tokio::test]
async fn a_path_of_two_thousand_missing_folders_is_refused_and_nothing_of_it_is_made() {
    for mode in [MountMode::ReadWrite, MountMode::Overlay] {
        let host = folder(&[]);
        let script = format!(
            "{TRY} const name = '/data/' + 'a/'.repeat(2040);
             [await t(fs.mkdir(name, {{ recursive: true }})), await fs.readdir('/data')]"
        );
        let seen = value(&table(), &script, mount(host.path(), "/data", mode)).await;
        if mode == MountMode::Overlay {
            assert_eq!(seen, json!(["QuotaExceededError ENOSPC", []]));
        }
        // The host makes what its system allows, one by one.
        assert!(mode == MountMode::ReadWrite || fs::read_dir(host.path()).expect("it is there").count() == 0);
    }
}

#[tokio::test]
async fn a_relative_path_means_what_it_meant_when_it_was_given() {
    let (here, there) = (folder(&[("f", "here")]), folder(&[("f", "there")]));
    let context =
        mounts(&[(here.path(), "/rw", MountMode::ReadWrite), (there.path(), "/old/rw", MountMode::ReadWrite)]);
    let script = "const read = fs.readFile('rw/f', 'utf8'), removed = fs.rm('rw/f'), listed = fs.readdir('rw', { recursive: true });
        await fs.chdir('/old');
        const text = await read.catch((e) => e.code); await removed; await listed;
        await fs.copyFile('rw/f', 'copy');
        [text === 'here' || text === 'ENOENT', await fs.readFile('/old/copy', 'utf8'), await fs.exists('/rw/f'), await fs.exists('/old/rw/f')]";
    assert_eq!(value(&table(), script, context).await, json!([true, "there", false, true]));
    assert!(there.path().join("f").exists() && !here.path().join("f").exists());
}

#[tokio::test]
async fn no_link_leads_to_a_mount_to_move_remove_or_change_it() {
    let host = folder(&[("a.txt", "a"), ("sub/b.txt", "b")]);
    let table = table();
    for mode in [MountMode::ReadOnly, MountMode::ReadWrite, MountMode::Overlay] {
        let script = format!(
            "{TRY} await fs.rm('/l', {{ force: true }}); await fs.rm('/link', {{ force: true }});
             await fs.symlink('/', '/l'); await fs.symlink('/data', '/link');
             await fs.writeFile('/f', 'x');
             const refused = [];
             for (const p of [() => fs.rename('/l/data', '/away'), () => fs.rename('/f', '/l/data'), () => fs.rm('/l/data', {{ recursive: true }}),
                              () => fs.mkdir('/link/new'), () => fs.mkdir('/link/new/er', {{ recursive: true }}), () => fs.mkdir('/link/a.txt'), () => fs.rm('/link/a.txt'),
                              () => fs.unlink('/link/a.txt'), () => fs.symlink('/f', '/link/s'), () => fs.utimes('/link/a.txt', 1, 1),
                              () => fs.writeFile('/link/a.txt', ''), () => fs.stat('/link/sub/b.txt'), () => fs.rename('/link/a.txt', '/b')])
               refused.push(await t(p()));
             [refused, (await fs.readdir('/data')), await fs.readFile('/data/a.txt', 'utf8')]"
        );
        let seen = value(&table, &script, mount(host.path(), "/data", mode)).await;
        let [refused, names, text] = &seen.as_array().expect("three")[..] else { panic!("three") };
        for refused in refused.as_array().expect("a list") {
            let refused = refused.as_str().expect("a text");
            assert!(refused == "Error ELOOP" || refused == "Error EBUSY", "{mode:?}: {seen}");
        }
        assert_eq!((names, text), (&json!(["a.txt", "sub"]), &json!("a")));
    }
    // And the session goes on.
    assert_eq!(value(&table, "1", mount(host.path(), "/data", MountMode::ReadOnly)).await, json!(1));
}

#[tokio::test]
async fn what_was_removed_from_an_overlay_stays_away_whatever_takes_its_place() {
    let host = folder(&[("x/sub/secret", "s"), ("d/old", "o"), ("f", "f")]);
    let script = "await fs.rm('/data/x', { recursive: true });
        await fs.mkdir('/data/new/sub', { recursive: true });
        await fs.rename('/data/new', '/data/x');
        const deep = await fs.readdir('/data/x/sub');
        await fs.rm('/data/d', { recursive: true });
        await fs.mkdir('/data/d'); await fs.writeFile('/data/d/mine', 'm');
        await fs.rename('/data/d', '/data/e');
        [deep, await fs.exists('/data/x/sub/secret'), await fs.readdir('/data/e'), await fs.exists('/data/d'), await fs.readdir('/data')]";
    let seen = value(&table(), script, mount(host.path(), "/data", MountMode::Overlay)).await;
    assert_eq!(seen, json!([[], false, ["mine"], false, ["e", "f", "x"]]));
    assert!(host.path().join("x/sub/secret").exists() && host.path().join("d/old").exists());
}

#[tokio::test]
async fn nothing_is_lost_by_what_is_done_at_the_same_time() {
    for mode in [MountMode::ReadWrite, MountMode::Overlay] {
        let host = folder(&[("log", ""), ("both", &"-".repeat(100_000))]);
        let script = "await Promise.all(Array.from({ length: 40 }, (_, i) => fs.appendFile('/data/log', String(i).padStart(3, '0') + '\\n')));
            const patch = async (i) => { const h = await fs.open('/data/both', 'r+'); await h.write(String.fromCharCode(65 + i), i); await h.close(); };
            await Promise.all(Array.from({ length: 10 }, (_, i) => patch(i)));
            const lines = (await fs.readFile('/data/log', 'utf8')).trim().split('\\n');
            const both = await fs.readFile('/data/both', 'utf8');
            [lines.sort().length, new Set(lines).size, both.slice(0, 12), both.length]";
        let seen = value(&table(), script, mount(host.path(), "/data", mode)).await;
        assert_eq!(seen, json!([40, 40, "ABCDEFGHIJ--", 100_000]), "{mode:?}");
    }
}

#[tokio::test]
async fn a_file_is_not_emptied_for_want_of_a_handle_or_of_room() {
    let host = folder(&[("f", "precious")]);
    for mode in [MountMode::ReadWrite, MountMode::Overlay] {
        let script = format!(
            "{TRY} await fs.writeFile('/own', 'x'); const held = []; try {{ for (;;) held.push(await fs.open('/own')); }} catch {{}}
             const refused = await t(fs.writeFile('/data/f', 'new'));
             for (const h of held) await h.close();
             [refused, await fs.readFile('/data/f', 'utf8')]"
        );
        let seen = value(&table(), &script, mount(host.path(), "/data", mode)).await;
        assert!(seen[0].as_str().expect("a text").starts_with("QuotaExceededError"), "{seen}");
        assert_eq!(seen[1], json!("precious"), "{mode:?}");
    }
    assert_eq!(fs::read_to_string(host.path().join("f")).expect("it is there"), "precious");
    // A rename that has no room for what hides the old name is not half done.
    let script = format!(
        "{TRY} let made = 0; try {{ for (;; made++) await fs.writeFile('/n' + made, ''); }} catch {{}}
         const refused = await t(fs.rename('/data/f', '/data/g'));
         [refused, await fs.exists('/data/f'), await fs.exists('/data/g')]"
    );
    let seen = value(&table(), &script, mount(host.path(), "/data", MountMode::Overlay)).await;
    assert_eq!(seen, json!(["QuotaExceededError ENOSPC", true, false]));
}

#[tokio::test]
async fn the_same_mistake_has_the_same_code_wherever_it_is_made() {
    let files = [("file", "f"), ("dir/inner", "i")];
    let (own, wrong) = (folder(&files), "the codes");
    let script = format!(
        "{TRY} const at = args.at, seen = [];
         if (at === '/own') {{ await fs.mkdir('/own/dir', {{ recursive: true }}); await fs.writeFile('/own/file', 'f'); await fs.writeFile('/own/dir/inner', 'i'); }}
         for (const p of [() => fs.mkdir(at + '/file/x', {{ recursive: true }}), () => fs.mkdir(at + '/file', {{ recursive: true }}), () => fs.mkdir(at + '/dir', {{ recursive: true }}),
                          () => fs.mkdir(at + '/dir'), () => fs.mkdir(at + '/none/x'), () => fs.rm(at + '/none'), () => fs.rm(at + '/dir'), () => fs.rmdir(at + '/dir'), () => fs.rmdir(at + '/file'),
                          () => fs.unlink(at + '/dir'), () => fs.unlink(at + '/none'), () => fs.readdir(at + '/file'), () => fs.readFile(at + '/dir'), () => fs.writeFile(at + '/none/x', ''),
                          () => fs.open(at + '/file', 'wx'), () => fs.utimes(at + '/dir', 1, 1000), () => fs.utimes(at + '/none', 1, 1), () => fs.rename(at + '/none', at + '/x'), () => fs.rename(at + '/file', at + '/dir'),
                          () => fs.readlink(at + '/file'), () => fs.stat(at + '/file/x'), () => fs.realpath(at + '/none')])
           seen.push(await t(p().then((v) => typeof v === 'object' ? 'done' : v)));
         [seen, (await fs.stat(at + '/dir')).mtimeMs]"
    );
    let mut all: Vec<Value> = Vec::new();
    for (at, mode) in [("/own", None), ("/rw", Some(MountMode::ReadWrite)), ("/over", Some(MountMode::Overlay))] {
        let host = folder(&files);
        let context = mode.map_or_else(RunContext::new, |mode| mount(host.path(), at, mode));
        let request = perennial_sessions::RunRequest::new(&*script).with_args(json!({"at": at}));
        let result = table().run_with("s", request, context).await;
        all.push(result.into_value().expect(wrong).expect(wrong));
    }
    drop(own);
    assert_eq!(all[1], all[0], "a folder of the host");
    assert_eq!(all[2], all[0], "one with changes over it");
    // A folder that is there is there, also where nothing may be made.
    let host = folder(&files);
    let context = mount(host.path(), "/ro", MountMode::ReadOnly);
    let script = format!("{TRY} await t(fs.mkdir('/ro/dir', {{ recursive: true }}))");
    assert_eq!(value(&table(), &script, context).await, json!("done"));
}

#[tokio::test]
async fn a_link_of_an_overlay_leads_into_no_other_mount() {
    let (over, other) = (folder(&[("a", "a")]), folder(&[("b", "b")]));
    let context = mounts(&[(over.path(), "/over", MountMode::Overlay), (other.path(), "/other", MountMode::ReadWrite)]);
    let script = format!(
        "{TRY} await fs.symlink('/other/new', '/over/l'); await fs.symlink('/over/dangling', '/over/d');
         [await t(fs.writeFile('/over/l', 'x')), await t(fs.open('/over/d', 'wx')), await t(fs.writeFile('/over/d', 'y')), await fs.readFile('/over/dangling', 'utf8'), await fs.readdir('/other')]"
    );
    let seen = value(&table(), &script, context).await;
    assert_eq!(seen, json!(["Error ELOOP", "Error EEXIST", "done", "y", ["b"]]));
    assert!(!other.path().join("new").exists() && fs::read_dir(over.path()).expect("it is there").count() == 1);
}
