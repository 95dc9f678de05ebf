// NestJS on Express and on Fastify, which takes their adapters, through the suite for adapters. Its decorators are called as
// functions, because the compiler of these tests strips types and knows no decorators.
import 'reflect-metadata';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import {
  All,
  Controller,
  Get,
  HttpCode,
  type INestApplication,
  Module,
  NotFoundException,
  Redirect,
  Req,
  Res,
  StreamableFile,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Request, Response } from 'express';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as onExpress from 'madeleine/express';
import * as onFastify from 'madeleine/fastify';
import { type AdapterAnswer, type AdapterServerOptions, adapterConformance, GUARDED_PATHS } from 'madeleine/testing';
import { of } from 'rxjs';

/** Nest's own ways to answer: what a handler gives back, and the decorators that say how. */
const WAYS: Record<string, { answer: () => unknown; decorators?: MethodDecorator[] }> = {
  text: { answer: () => 'ok' },
  json: { answer: () => ({ ok: true }), decorators: [HttpCode(201)] },
  redirect: { answer: () => undefined, decorators: [Redirect('/data', 303)] },
  promise: { answer: async () => ({ later: true }) },
  observable: { answer: () => of('seen') },
  stream: { answer: () => new StreamableFile(Readable.from(['one', 'two', 'x'.repeat(100_000)])) },
  exception: {
    answer: () => {
      throw new NotFoundException('no such tea');
    },
  },
};

/** How the two platforms tell a request and take what a handler gives as Node's objects. */
interface Platform<Request, Response> {
  /** A route for every path. */
  everyPath: string;
  url(request: Request): string;
  session(request: Request): object;
  raw(request: Request, response: Response): [IncomingMessage, ServerResponse];
  answer(
    response: Response,
    answer: { status: number; headers: Record<string, string | string[]>; body: string },
  ): void;
}

function moduleOf<Request, Response>(
  { handle }: AdapterServerOptions,
  platform: Platform<Request, Response>,
): Type<object> {
  const ask = async (request: Request): Promise<AdapterAnswer> =>
    handle({ url: platform.url(request), session: () => platform.session(request) });

  class Ways {
    [name: string]: (request: Request) => unknown;
  }
  for (const [name, { answer, decorators = [] }] of Object.entries(WAYS)) {
    Ways.prototype[name] = async (request: Request) => {
      await ask(request);
      return answer();
    };
    decorate(Ways, name, [Get(name), ...decorators], [Req()]);
  }
  Controller('way')(Ways);

  class Everything {
    async answer(request: Request, response: Response): Promise<void> {
      const answer = await ask(request);
      if ('node' in answer) answer.node(...platform.raw(request, response));
      else if (!('way' in answer)) platform.answer(response, answer);
    }
  }
  decorate(Everything, 'answer', [All(platform.everyPath)], [Req(), Res()]);
  Controller()(Everything);

  class Application {}
  Module({ controllers: [Ways, Everything] })(Application);
  return Application;
}

function decorate(of: Type<object>, name: string, methods: MethodDecorator[], parameters: ParameterDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(of.prototype, name) as PropertyDescriptor;
  for (const one of methods) one(of.prototype, name, descriptor);
  parameters.forEach((one, index) => {
    one(of.prototype, name, index);
  });
}

const express: Platform<Request, Response> = {
  everyPath: '*path',
  url: request => request.originalUrl,
  session: request => request.session,
  raw: (request, response) => [request, response],
  answer: (response, { status, headers, body }) => void response.status(status).set(headers).send(body),
};

const fastify: Platform<FastifyRequest, FastifyReply> = {
  everyPath: '*',
  url: request => request.url,
  session: request => request.session,
  raw(request, reply) {
    reply.hijack();
    return [request.raw, reply.raw];
  },
  answer: (reply, { status, headers, body }) => void reply.code(status).headers(headers).send(body),
};

async function served(app: INestApplication) {
  await app.listen(0, '127.0.0.1');
  return {
    url: await app.getUrl(),
    async close() {
      app.getHttpServer().closeAllConnections();
      await app.close();
    },
  };
}

const kind = { ways: Object.keys(WAYS), node: true };

adapterConformance({
  ...kind,
  name: 'NestJS on Express',
  async serve(options) {
    const app = await NestFactory.create<NestExpressApplication>(moduleOf(options, express), new ExpressAdapter(), {
      logger: false,
    });
    const remember = options.session && onExpress.session(options.session);
    if (remember) app.use(remember);
    const { requireLogin, requireUser, requireRecentLogin } = onExpress;
    for (const [path, guard] of [
      [GUARDED_PATHS.requireLogin, requireLogin()],
      [GUARDED_PATHS.requireUser, requireUser(id => id === 'ada')],
      [GUARDED_PATHS.requireRecentLogin, requireRecentLogin('10m')],
    ] as const) {
      app.use(path, guard);
    }
    return { ...(await served(app)), sessions: remember?.sessions };
  },
});

adapterConformance({
  ...kind,
  name: 'NestJS on Fastify',
  async serve(options) {
    const app = await NestFactory.create<NestFastifyApplication>(moduleOf(options, fastify), new FastifyAdapter(), {
      logger: false,
    });
    const instance = app.getHttpAdapter().getInstance();
    if (options.session) await app.register(onFastify.session, options.session);
    const { requireLogin, requireUser, requireRecentLogin } = onFastify;
    for (const [path, guard] of [
      [GUARDED_PATHS.requireLogin, requireLogin()],
      [GUARDED_PATHS.requireUser, requireUser(id => id === 'ada')],
      [GUARDED_PATHS.requireRecentLogin, requireRecentLogin('10m')],
    ] as const) {
      instance.addHook('preHandler', (request, reply, done) =>
        request.url.startsWith(path) ? guard(request, reply, done) : done(),
      );
    }
    return { ...(await served(app)), sessions: options.session ? instance.sessions : undefined };
  },
});
