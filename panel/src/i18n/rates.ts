// Names of the rates: loaded with the page that shows them.
import { alsoSays } from '.'
import en from './rates.en.json'
import zh from './rates.zh-CN.json'

alsoSays({ 'zh-CN': zh, en })
