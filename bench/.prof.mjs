import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
const [v,kind]=process.argv.slice(2); fs.rmSync('/tmp/prof',{recursive:true,force:true});
const c=spawn('node',['--cpu-prof','--cpu-prof-dir=/tmp/prof','--cpu-prof-interval','200','bench/.mini.mjs',v],{stdio:['ignore','inherit','inherit','ipc'],env:{...process.env,NODE_ENV:'production'}});
const {port}=await new Promise(r=>c.once('message',r));
const r=await fetch(`http://127.0.0.1:${port}/fill`); const ck=r.headers.get('set-cookie')?.split(';')[0];
const args=['-t1','-c16','-d6s']; if(kind!=='none'&&ck) args.push('-H','Cookie: '+ck);
execFileSync('wrk',[...args,`http://127.0.0.1:${port}/${kind}`]);
c.kill('SIGINT'); await new Promise(r=>setTimeout(r,1500));
