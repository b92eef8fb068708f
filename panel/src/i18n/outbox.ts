// What the page of the outbox says: loaded with administration, not with the door.
import { alsoSays } from '.'
import en from './outbox.en.json'
import zh from './outbox.zh-CN.json'

alsoSays({ 'zh-CN': zh, en })
