//! Calls of native operations with arguments of a size.

use super::Choices;

/// Calls. `S` stands for a text, `L` for a short one, `B` for bytes, `N` for a number, `V` for a value.
const CALLS: &[&str] = &[
    "new URLPattern(S)",
    "new URLPattern({pathname:S,hostname:S}).test({pathname:S})",
    "new URLPattern({pathname:'/:a(.*)'+L}).exec({pathname:S})",
    "new URL(S,'http://a/')",
    "new URL('http://a/'+S).href",
    "new URL('http://'+S).host",
    "{const u=new URL('http://a/b?c#d');u.search=S;u.hash=S;u.pathname=S;u.host=S;return u.href.length}",
    "[...new URLSearchParams(S)].length",
    "{const p=new URLSearchParams(S);for(let i=0;i<100;i++)p.append(L,L);p.sort();return p.toString().length}",
    "Buffer.from(S,L).toString(L)",
    "Buffer.from(B).indexOf(Buffer.from(S),N)",
    "Buffer.from(S).indexOf(S,N,'utf16le')",
    "Buffer.from(S).lastIndexOf(S)",
    "Buffer.from(B).compare(B)",
    "Buffer.alloc(N,S)",
    "Buffer.alloc(N).fill(S,N,N,'hex')",
    "Buffer.concat(Array(N%1000).fill(B))",
    "new TextEncoder().encode(S)",
    "new TextEncoder().encodeInto(S,B)",
    "{const d=new TextDecoder(E);let n=0;for(let i=0;i<100;i++)n+=d.decode(B,{stream:true}).length;return n}",
    "new TextDecoder(E,{fatal:true}).decode(B)",
    "new TextDecoder(S)",
    "atob(S)",
    "btoa(S)",
    "structuredClone(V)",
    "structuredClone(B,{transfer:[]})",
    "console.log(V,S,B)",
    "console.log(S.slice(0,1000),...Array(N%10000).fill(L))",
    "for(let i=0;i<N;i++)console.log(L)",
    "vars.set(L,V)",
    "{vars[S]=V;return vars[S]}",
    "vars.set(L,S)",
    "return V",
    "return [S,B,V]",
    "throw new Error(S,{cause:V})",
    "{const e=new Error(L);e.stack=S;throw e}",
    "Promise.reject(V)",
    "{globalThis[S]=V;return 1}",
    "await crypto.subtle.digest('SHA-512',B)",
    "{const k=await crypto.subtle.importKey('raw',B,{name:'HMAC',hash:'SHA-256'},true,['sign']);return await crypto.subtle.sign('HMAC',k,B)}",
    "{const k=await crypto.subtle.importKey('raw',new Uint8Array(16),H,true,['encrypt']);return await crypto.subtle.encrypt({name:H,iv:new Uint8Array(16),counter:new Uint8Array(16),length:64,additionalData:B},k,B)}",
    "{const k=await crypto.subtle.importKey('raw',B,'PBKDF2',false,['deriveBits']);return await crypto.subtle.deriveBits({name:'PBKDF2',hash:'SHA-1',salt:B,iterations:N+1},k,8*(N+1))}",
    "{const k=await crypto.subtle.importKey('raw',B,'HKDF',false,['deriveBits']);return await crypto.subtle.deriveBits({name:'HKDF',hash:'SHA-1',salt:B,info:B},k,8000)}",
    "await crypto.subtle.importKey('spki',B,{name:'ECDSA',namedCurve:'P-256'},true,['verify'])",
    "await crypto.subtle.importKey('jwk',V,{name:'ECDSA',namedCurve:'P-256'},true,['verify'])",
    "crypto.getRandomValues(B)",
    "Array.from({length:N%100000},()=>crypto.randomUUID()).length",
    "await fs.writeFile('/a',S)",
    "await fs.writeFile('/a',B).then(()=>fs.readFile('/a',L))",
    "await fs.appendFile('/a',B)",
    "await fs.stat(S)",
    "await fs.mkdir(S,{recursive:true})",
    "await fs.rm(S,{recursive:true,force:true})",
    "await fs.symlink(S,'/l').then(()=>fs.stat('/l'))",
    "{for(let i=0;i<N%3000;i++)await fs.writeFile('/f'+i,L);return await fs.glob(S)}",
    "{await fs.mkdir('/a/a/a/a',{recursive:true});const all=[];for await(const f of fs.glob(S))all.push(f);return all}",
    "{const p=await import('node:path');return p.matchesGlob(S,S)}",
    "{const p=await import('node:path');return [p.resolve(S,S),p.relative(S,S),p.normalize(S)]}",
    "{const u=await import('node:util');return u.inspect(V,{depth:N})}",
    "{const u=await import('node:util');return u.format(S,V,S)}",
    "{const a=await import('node:assert');a.deepEqual(V,V)}",
    "tools.search(S)",
    "tools.describe(S)",
    "tools[S]",
    "tools[L][S](V)",
    "await new Response(S,{headers:{'content-type':'multipart/form-data; boundary='+L}}).formData()",
    "await new Response(('--b\\r\\ncontent-disposition: form-data; name=\"'+L+'\"\\r\\n\\r\\n\\r\\n').repeat(N)+'--b--',{headers:{'content-type':'multipart/form-data; boundary=b'}}).formData()",
    "await new Response(S,{headers:{'content-type':'application/x-www-form-urlencoded'}}).formData()",
    "await new Response(S).json()",
    "await new Response(B).blob().then(b=>b.slice(N).text())",
    "{const f=new FormData();for(let i=0;i<N%5000;i++)f.append(L,S);return await new Response(f).text()}",
    "{const h=new Headers();for(let i=0;i<N%20000;i++)h.append(L||'a',L);return [...h].length}",
    "new Headers([[S,S]])",
    "await fetch('data:'+S).then(r=>r.text())",
    "await fetch('data:text/plain;base64,'+S).then(r=>r.text())",
    "await fetch(S)",
    "await fetch('https://example.com/'+S,{method:'POST',body:S,headers:{a:L}})",
    "await new Blob(Array(N%10000).fill(S)).text()",
    "await new Response(new Blob([B]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer()",
    "await new Response(new Blob([B]).stream().pipeThrough(new DecompressionStream(Z))).arrayBuffer()",
    "{const w=new DecompressionStream(Z).writable.getWriter();for(let i=0;i<N;i++)w.write(B).catch(()=>{});return 1}",
    "artifacts.write(L,B)",
    "{for(let i=0;i<N%3000;i++)await artifacts.write(L+i,S);return 1}",
    "await commands.run(S,[S])",
    "await import(S)",
    "await import('data:text/javascript,'+S)",
    "eval(S)",
    "new Function(S,S)",
    "new RegExp(S).test(S)",
    "JSON.parse(S)",
    "JSON.stringify(V)",
    "process.env[S]",
    "navigator.userAgent+S",
    "queueMicrotask(()=>{throw V})",
    "for(let i=0;i<N;i++)setTimeout(()=>{},i)",
    "new EventTarget().dispatchEvent(new Event(S))",
    "await new Promise(done=>{const c=new AbortController();for(let i=0;i<N;i++)AbortSignal.any([c.signal]);done(1)})",
    "new Blob([B]).stream().tee().map(s=>new Response(s).text())",
];

const PIECES: &[&str] = &[
    "a",
    "ab",
    "/",
    "a/",
    "../",
    "**/",
    "*",
    "?",
    "{a,b}",
    "{a,",
    "[a-z]",
    "(",
    ")",
    "(.*)",
    ":a",
    "/:a",
    "a.",
    "%41",
    "%",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\u4e00",
    "\\0",
    " ",
    "\\n",
    "\\r\\n",
    "--b\\r\\n",
    "=",
    "&",
    "a=b&",
    ";a=b",
    ",",
    "\"",
    "\\\\",
    "+",
    "-",
    "0",
    "1e400",
    "<",
    "[",
    "{\\\"a\\\":",
    "xn--",
    "@",
    "#",
    "//",
    "A",
    "f",
    "ff",
    "\\u0301",
    "(a+)+",
    "%s",
    "%j",
    "word ",
    "anything ",
    "\\x81",
    "\\x1b$B",
];
const SHORT: &[&str] =
    &["a", "", "b/c", "utf8", "hex", "base64", "utf16le", "latin1", "__proto__", "é", "toJSON", "x y"];
const ENCODINGS: &[&str] =
    &["utf-8", "gb18030", "iso-2022-jp", "shift_jis", "utf-16le", "big5", "euc-kr", "windows-1252"];
const FORMATS: &[&str] = &["gzip", "deflate", "deflate-raw"];
const CIPHERS: &[&str] = &["AES-GCM", "AES-CBC", "AES-CTR", "AES-KW"];

/// A script that calls one operation, or two, with arguments of about `size` bytes or parts each.
pub fn call(bytes: &[u8], size: usize) -> String {
    let mut choices = Choices::new(bytes);
    let calls = 1 + usize::from(choices.below(8) == 7);
    let mut script = String::new();
    for _ in 0..calls {
        let call = choices.of(CALLS);
        let mut text = String::new();
        // A hole is a capital letter with no other letter beside it.
        let mut before = ' ';
        let mut letters = call.chars().peekable();
        while let Some(letter) = letters.next() {
            let part_of = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
            let alone = !part_of(before) && !letters.peek().is_some_and(|&next| next != '.' && part_of(next));
            match hole(&mut choices, letter, size).filter(|_| alone || before == '.') {
                Some(hole) => text.push_str(&hole),
                None => text.push(letter),
            }
            before = letter;
        }
        script.push_str(&format!(
            "await (async () => {{ {} }})();\n",
            if text.contains("return ") || text.starts_with(['{', 't']) || text.starts_with("for") {
                text
            } else {
                format!("return {text}")
            }
        ));
    }
    script
}

fn hole(choices: &mut Choices<'_>, kind: char, size: usize) -> Option<String> {
    Some(match kind {
        'S' => text(choices, size),
        'L' => format!("'{}'", choices.of(SHORT)),
        'B' => value(choices, size, true),
        'N' => (size >> choices.below(8)).to_string(),
        'V' => value(choices, size, false),
        'E' => format!("'{}'", choices.of(ENCODINGS)),
        'Z' => format!("'{}'", choices.of(FORMATS)),
        'H' => format!("'{}'", choices.of(CIPHERS)),
        _ => return None,
    })
}

fn text(choices: &mut Choices<'_>, size: usize) -> String {
    let mut parts = Vec::new();
    let count = 1 + choices.below(3);
    for _ in 0..count {
        let (first, second) = (choices.of(PIECES), choices.of(PIECES));
        let turns = size / (first.len() + second.len()) / count;
        parts.push(match choices.below(4) {
            0 => format!("'{first}{second}'.repeat({turns})"),
            1 => format!("'{first}'+'{second}'.repeat({turns})"),
            2 => format!("'{first}'.repeat({turns})+'{second}'"),
            // No two parts alike.
            _ => format!("Array.from({{length:{}}},(_,i)=>'{first}'+i.toString(36)).join('{second}')", turns / 4),
        });
    }
    format!("({})", parts.join("+"))
}

fn value(choices: &mut Choices<'_>, size: usize, is_bytes: bool) -> String {
    if is_bytes {
        return match choices.below(6) {
            0 => format!("new Uint8Array({size})"),
            1 => format!("new Uint8Array({size}).fill({})", choices.next()),
            2 => format!("Uint8Array.from({{length:{}}},(_,i)=>i*{}%251)", size / 8, choices.next() | 1),
            3 => format!("new DataView(new ArrayBuffer({size}),1)"),
            4 => format!("new Uint16Array({})", size / 2),
            _ => format!("Buffer.from({})", text(choices, size)),
        };
    }
    let parts = size / 8;
    match choices.below(12) {
        0 => text(choices, size),
        1 => format!("JSON.parse('['.repeat({parts})+']'.repeat({parts}))"),
        2 => format!("Array({parts}).fill(0).reduce(v=>({{a:v}}),{{}})"),
        3 => format!("Array({}).fill(0).reduce(v=>({{a:v,b:v}}),{{}})", parts.checked_ilog2().unwrap_or(0) + 1),
        4 => format!("Object.fromEntries(Array.from({{length:{parts}}},(_,i)=>['k'+i,i]))"),
        5 => format!("Array.from({{length:{parts}}},(_,i)=>({{i}}))"),
        6 => format!("new Map(Array.from({{length:{parts}}},(_,i)=>[i,{{i}}]))"),
        7 => format!("Array({size})"),
        8 => format!("[,...Array({parts}).fill({})]", text(choices, size.min(1000))),
        9 => "new Proxy([],{get:(t,k)=>k==='length'?1e9:k})".to_owned(),
        10 => format!("({{toJSON:()=>({})}})", text(choices, size)),
        _ => format!("Array({parts}).fill(0).reduce(v=>Object.assign(new Error('a'),{{cause:v}}),1)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hole_of_a_call_is_filled() {
        for at in 0..CALLS.len() {
            let script = call(&[0, at as u8, 1, 2, 3, 4, 5, 6], 100);
            let is_hole = |part: &str| matches!(part, "S" | "L" | "B" | "N" | "V");
            assert!(!script.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(is_hole), "{script}");
        }
    }
}
