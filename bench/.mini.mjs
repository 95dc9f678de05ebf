// quick CPU measure: in-process server child, wrk load
import express from 'express';
import { createRequire } from 'node:module';
const variant = process.argv[2];
const app = express();
const secret='x'.repeat(40);
if (variant==='bare') app.use((q,s,n)=>n());
if (variant==='ours') { const {session}=await import('madeleine/express'); app.use(session({secret})); }
if (variant==='peer') { const s=(await import('express-session')).default; app.use(s({secret,resave:false,saveUninitialized:false})); }
if (variant==='bare') app.use((q,s,n)=>{ q.session={n:1,data:'x'.repeat(1024)}; n(); });
const body='x'.repeat(50);
app.get('/fill',(req,res)=>{ req.session.data={a:'x'.repeat(300),b:[1,2,3,4],c:{d:'y'.repeat(600)}}; req.session.n=0; res.send('ok'); });
app.get('/read',(req,res)=>{ const n=req.session.n; res.send(body); });
app.get('/write',(req,res)=>{ req.session.n=(req.session.n??0)+1; res.send(body); });
app.get('/none',(req,res)=>{ const u=req.session.user; res.send(body); });
process.on('SIGINT',()=>process.exit(0));
const server=app.listen(0,()=>process.send?.({port:server.address().port}));
process.on('message',m=>{ if(m==='cpu') process.send({cpu:process.cpuUsage()}); });
