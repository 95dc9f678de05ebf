import { fork, execFileSync } from 'node:child_process';
const ask=(c,m)=>new Promise(r=>{c.once('message',r); if(m)c.send(m);});
const S={};
for (const v of ['bare','ours','peer']) { const c=fork('bench/.mini.mjs',[v],{env:{...process.env,NODE_ENV:'production'}}); const {port}=await ask(c); const r=await fetch(`http://127.0.0.1:${port}/fill`); const ck=(r.headers.get('set-cookie')||'session=1.'+'a'.repeat(87)).split(';')[0]; S[v]={c,port,ck}; }
const run=async(v,kind,secs)=>{ const {c,port,ck}=S[v]; const a=(await ask(c,'cpu')).cpu; const args=['-t1','-c16',`-d${secs}s`]; if(kind!=='none') args.push('-H','Cookie: '+ck); const out=execFileSync('wrk',[...args,`http://127.0.0.1:${port}/${kind}`]).toString(); const b=(await ask(c,'cpu')).cpu; const n=+/(\d+) requests in/.exec(out)[1]; return (b.user+b.system-a.user-a.system)/n; };
const kinds=(process.argv[2]||'read,write,none').split(','); const med=a=>a.sort((x,y)=>x-y)[a.length>>1];
for (const k of kinds) { const acc={bare:[],ours:[],peer:[]}; for (const v in acc) await run(v,k,1); for(let i=0;i<5;i++) for (const v in acc) acc[v].push(await run(v,k,2)); const m=Object.fromEntries(Object.entries(acc).map(([v,a])=>[v,med(a)])); console.log(k,Object.entries(m).map(([v,x])=>`${v} ${x.toFixed(1)}us ${(m.bare/x).toFixed(3)}`).join('  ')); }
for (const v in S) S[v].c.kill();
