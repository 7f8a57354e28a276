import { inject, shallowRef, type InjectionKey, type ShallowRef } from 'vue'
import type { Boot } from '../../worker/api.ts'

export const BOOT: InjectionKey<Readonly<ShallowRef<Boot>>> = Symbol('boot')

/** How far the worker has come. */
export const useBoot = (): Readonly<ShallowRef<Boot>> => inject(BOOT, shallowRef<Boot>({ state: 'starting' }))
