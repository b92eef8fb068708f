// What the pages of knowledge say: loaded with them, not with the door.
import { alsoSays } from '.'
import en from './kb.en.json'
import zh from './kb.zh-CN.json'

alsoSays({ 'zh-CN': zh, en })
