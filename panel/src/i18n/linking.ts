// What splitting and linking of tickets says: loaded with the agents' desk.
import { alsoSays } from '.'
import en from './linking.en.json'
import zh from './linking.zh-CN.json'

alsoSays({ 'zh-CN': zh, en })
